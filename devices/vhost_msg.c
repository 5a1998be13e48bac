/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_msg: see the header.
 */
#include "devices/vhost_msg.h"

#include <errno.h>

int vhost_answer(const struct vhost_header *h, uint32_t asked, uint32_t size)
{
	if (h->request != asked || h->flags != (VHOST_VERSION | VHOST_REPLY))
		return -EPROTO;
	if (!h->size && asked == VHOST_GET_CONFIG)
		return -EOPNOTSUPP;
	return h->size == size ? 0 : -EPROTO;
}

int vhost_asked(const struct vhost_header *h, bool acks, bool *answer)
{
	uint32_t flags = h->flags & ~VHOST_NEED_REPLY;

	if (h->request != VHOST_BACKEND_CONFIG_CHANGE || h->size ||
	    flags != VHOST_VERSION)
		return -EPROTO;
	*answer = acks && h->flags & VHOST_NEED_REPLY;
	return 0;
}

int vhost_config_ok(const struct vhost_config *asked,
		    const struct vhost_config *got)
{
	return got->offset == asked->offset && got->size == asked->size
		       ? 0
		       : -EPROTO;
}

int vhost_inflight_ok(const struct vhost_inflight *asked,
		      const struct vhost_inflight *got, bool fd)
{
	uint64_t end;

	/* We only keep it, and give it to the peer that comes next. */
	if (!fd || !got->size || !add_u64(got->size, got->offset, &end) ||
	    got->queues != asked->queues ||
	    got->queue_size != asked->queue_size)
		return -EPROTO;
	return 0;
}

int vhost_base_ok(const struct vhost_state *asked,
		  const struct vhost_state *got)
{
	return got->index == asked->index && got->num <= UINT16_MAX ? 0
								    : -EPROTO;
}
