/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: the list itself and its plainest reader, the copy into guest memory.
 */
#include "vmm/image.h"

#include <errno.h>
#include <stdlib.h>

void image_open(struct image *im)
{
	*im = (struct image){ .n_parts = 0 };
}

void image_close(struct image *im)
{
	while (im->n_owned)
		free(im->owned[--im->n_owned]);
	image_open(im);
}

int image_add_part(struct image *im, const struct image_part *p)
{
	CHECK(!p->zeros || p->kind == PART_PLAIN);
	if (im->n_parts == IMAGE_PARTS)
		return -ENOSPC;
	im->part[im->n_parts++] = *p;
	return 0;
}

int image_add_item(struct image *im, const struct image_item *it)
{
	if (im->n_items == IMAGE_ITEMS)
		return -ENOSPC;
	im->item[im->n_items++] = *it;
	return 0;
}

int image_own(struct image *im, void *buf)
{
	if (im->n_owned == ARRAY_LEN(im->owned))
		return -ENOSPC;
	im->owned[im->n_owned++] = buf;
	return 0;
}

/* The region that an earlier load of the same part made. */
static bool has_rom(const struct gmem *m, const struct image_part *p)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].kind == GMEM_ROM && m->r[i].base.v == p->at.v &&
		    m->r[i].size == p->len)
			return true;
	return false;
}

static int load_part(const struct image_part *p, struct gmem *m)
{
	int rc = 0;

	if (p->rom && !has_rom(m, p))
		rc = gmem_add(m, p->at, p->len, GMEM_ROM, p->name);
	if (!rc)
		rc = gmem_load(m, p->at, p->bytes, p->len);
	if (!rc && p->zeros)
		rc = gmem_fill(m, (gpa_t){ p->at.v + p->len }, 0, p->zeros);
	return rc;
}

int image_load(const struct image *im, struct gmem *m)
{
	int rc = 0;

	for (size_t i = 0; i < im->n_parts && !rc; i++)
		rc = load_part(&im->part[i], m);
	return rc;
}
