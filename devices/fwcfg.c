/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fwcfg: see the header. Both ways to read share one position in the selected
 * item; past its end, and in an item that does not exist, everything is zero.
 */
#include "devices/fwcfg.h"

#include <errno.h>

#include "vmm/board_map.h"
#include "vmm/clock.h"
#include "vmm/log.h"
#include "vmm/timeline_once.h"

#define KEY_SIGNATURE 0x00
#define KEY_ID 0x01
#define KEY_DIR 0x19
#define KEY_FILE_FIRST 0x20
#define KEY_WRITE 0x4000 /* "write channel": selects the same item */

#define ID_TRADITIONAL 0x1
#define ID_DMA 0x2

/* Ports, from BOARD_PORT_FWCFG; the DMA address is big-endian. */
#define PORT_SELECT 0
#define PORT_DATA 1
#define PORT_DMA 4
#define PORT_DMA_LOW 8

#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */
#define DMA_DESC_SIZE 16
#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10

/* A guest may read past an item's end, but not keep us busy with it. */
#define PAD_MAX 4096

static void put_be32(uint8_t *p, uint32_t v)
{
	put_le32(p, __builtin_bswap32(v));
}

static uint32_t get_be32(const uint8_t *p)
{
	return __builtin_bswap32(get_le32(p));
}

static const struct fwcfg_item *item_find(const struct fwcfg *f, uint16_t key)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->item[i].key == key)
			return &f->item[i];
	return NULL;
}

static void item_put(struct fwcfg *f, struct fwcfg_item it)
{
	f->item[f->n++] = it;
}

/* The room that is left for numbered items, or for the directory's files. */
static bool full(const struct fwcfg *f)
{
	return f->n == FWCFG_ITEMS || f->n_files == FWCFG_FILES;
}

void fwcfg_open(struct fwcfg *f, const struct gmem *mem)
{
	*f = (struct fwcfg){ .mem = mem };
	item_put(f, (struct fwcfg_item){
			    .key = KEY_SIGNATURE, .len = 4, .small = "QEMU" });
	item_put(f,
		 (struct fwcfg_item){ .key = KEY_ID,
				      .len = 4,
				      .small = { ID_TRADITIONAL | ID_DMA } });
	item_put(f, (struct fwcfg_item){
			    .key = KEY_DIR, .len = 4, .bytes = f->dir });
}

/* Directory: u32 count, then {u32 size, u16 key, u16, name}, big-endian. */
static int dir_add(struct fwcfg *f, const char *name, uint32_t size,
		   uint16_t *key)
{
	uint8_t *entry = &f->dir[4 + f->n_files * FWCFG_DIR_ENTRY];
	size_t len = strnlen(name, FWCFG_NAME);

	if (len == 0)
		return -EINVAL;
	if (len == FWCFG_NAME)
		return -ENAMETOOLONG;
	for (const uint8_t *e = f->dir + 4; e < entry; e += FWCFG_DIR_ENTRY)
		if (strcmp((const char *)e + 8, name) == 0)
			return -EEXIST;
	*key = (uint16_t)(KEY_FILE_FIRST + f->n_files);
	put_be32(entry, size);
	put_be32(entry + 4, (uint32_t)*key << 16);
	bytes_copy(entry + 8, FWCFG_NAME, name, len + 1);
	f->n_files++;
	put_be32(f->dir, (uint32_t)f->n_files);
	for (size_t i = 0; i < f->n; i++)
		if (f->item[i].key == KEY_DIR)
			f->item[i].len += FWCFG_DIR_ENTRY;
	return 0;
}

int fwcfg_add(struct fwcfg *f, uint16_t key, const char *name,
	      const uint8_t *bytes, size_t len)
{
	int rc;

	if (full(f))
		return -ENOSPC;
	if (len > UINT32_MAX)
		return -EFBIG;
	if (name) {
		rc = dir_add(f, name, (uint32_t)len, &key);
		if (rc)
			return rc;
	} else if (key >= KEY_FILE_FIRST && !(key & 0x8000)) {
		return -EINVAL;
	} else if (item_find(f, key)) {
		return -EEXIST;
	}
	item_put(f, (struct fwcfg_item){
			    .key = key, .len = (uint32_t)len, .bytes = bytes });
	return 0;
}

int fwcfg_add_number(struct fwcfg *f, uint16_t key, uint64_t v, size_t len)
{
	int rc = fwcfg_add(f, key, NULL, NULL, len);

	if (!rc)
		put_le(f->item[f->n - 1].small, len, v);
	return rc;
}

int fwcfg_add_image(struct fwcfg *f, const struct image *im)
{
	for (size_t i = 0; i < im->n_items; i++) {
		const struct image_item *it = &im->item[i];
		int rc = fwcfg_add(f, it->key, it->key ? NULL : it->name,
				   it->bytes, it->len);

		if (rc) {
			log_error("fw_cfg item 0x%x \"%.56s\", %zu bytes: %s",
				  it->key, it->name, it->len, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static const uint8_t *item_bytes(const struct fwcfg_item *it)
{
	return it->bytes ? it->bytes : it->small;
}

/* What takes a firmware time to fetch: on the time line. */
static const struct {
	uint16_t key;
	const char *name;
} fetches[] = { { 0x11, "kernel-read" }, { 0x12, "initrd-read" } };

static void select_key(struct fwcfg *f, uint16_t key)
{
	timeline_once(f->pio->timeline, ONCE_PEI, "fw_cfg");
	f->key = key & (uint16_t)~KEY_WRITE;
	f->pos = 0;
	for (size_t i = 0; i < ARRAY_LEN(fetches); i++)
		if (f->key == fetches[i].key && !f->asked_ns[i])
			f->asked_ns[i] = clock_ns();
}

static void position_moved(struct fwcfg *f)
{
	for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
		const struct fwcfg_item *it;

		if (f->key != fetches[i].key || f->told[i])
			continue;
		it = item_find(f, f->key);
		if (!it || f->pos < it->len)
			continue;
		f->told[i] = true;
		timeline_span(f->pio->timeline, TIMELINE_GUEST,
			      &(struct timeline_mark){
				      .name = fetches[i].name,
				      .start_ns = f->asked_ns[i],
				      .bytes = it->len,
			      });
	}
}

/* How many bytes the selected item still has, at *at. */
static uint32_t rest(const struct fwcfg *f, const uint8_t **at)
{
	const struct fwcfg_item *it = item_find(f, f->key);

	if (!it)
		return 0;
	*at = item_bytes(it) + f->pos;
	return it->len - f->pos;
}

static int dma_read(struct fwcfg *f, gpa_t to, uint32_t len)
{
	static const uint8_t zeros[PAD_MAX];
	const uint8_t *src = NULL;
	uint32_t n = (uint32_t)min_u64(len, rest(f, &src));
	int rc = 0;

	if (len - n > PAD_MAX)
		return -EINVAL;
	if (n)
		rc = gmem_write(f->mem, to, src, n);
	if (!rc && len > n)
		rc = gmem_write(f->mem, (gpa_t){ to.v + n }, zeros, len - n);
	if (!rc) {
		f->pos += n;
		position_moved(f);
	}
	return rc;
}

static void dma_skip(struct fwcfg *f, uint32_t len)
{
	const uint8_t *src;

	f->pos += (uint32_t)min_u64(len, rest(f, &src));
}

/* struct FWCfgDmaAccess: u32 control, u32 length, u64 address; big-endian. */
static int dma_run(struct fwcfg *f, const uint8_t desc[DMA_DESC_SIZE])
{
	uint32_t control = get_be32(desc), len = get_be32(desc + 4);
	gpa_t to = { __builtin_bswap64(get_le64(desc + 8)) };

	if (control & DMA_SELECT)
		select_key(f, (uint16_t)(control >> 16));
	if (control & DMA_READ)
		return dma_read(f, to, len);
	if (control & DMA_WRITE)
		return -EPERM;
	if (control & DMA_SKIP)
		dma_skip(f, len);
	return 0;
}

static void dma_start(struct fwcfg *f)
{
	gpa_t at = { f->dma };
	uint8_t desc[DMA_DESC_SIZE], status[4] = { 0 };
	int rc = gmem_read(f->mem, at, desc, sizeof desc);

	timeline_once(f->pio->timeline, ONCE_FWCFG_DMA, NULL);
	f->dma = 0;
	if (!rc)
		rc = dma_run(f, desc);
	put_be32(status, rc ? DMA_ERROR : 0);
	rc = gmem_write(f->mem, at, status, sizeof status);
	if (rc && !f->warned)
		log_warn("fw_cfg: DMA descriptor at 0x%llx is not in RAM",
			 (unsigned long long)at.v);
	f->warned = f->warned || rc;
}

static bool fwcfg_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct fwcfg *f = dev;
	uint8_t sig[8];
	const uint8_t *src;

	if (off == PORT_DATA && len == 1) {
		if (rest(f, &src)) {
			buf[0] = *src;
			f->pos++;
			position_moved(f);
		} else {
			buf[0] = 0;
		}
		return true;
	}
	if (off < PORT_DMA)
		return false;
	put_le64(sig, __builtin_bswap64(DMA_SIGNATURE));
	bytes_copy(buf, len, sig + (off - PORT_DMA), len);
	return true;
}

static bool fwcfg_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct fwcfg *f = dev;

	if (off == PORT_SELECT && len == 2) {
		select_key(f, get_le16(buf));
	} else if (off == PORT_DMA && len == 4) {
		f->dma = (uint64_t)get_be32(buf) << 32;
	} else if (off == PORT_DMA_LOW && len == 4) {
		f->dma |= get_be32(buf);
		dma_start(f);
	} else {
		return false;
	}
	return true;
}

static const struct bus_ops fwcfg_ops = {
	.name = "fw_cfg",
	.read = fwcfg_read,
	.write = fwcfg_write,
};

int fwcfg_attach(struct fwcfg *f, struct bus *pio)
{
	f->pio = pio;
	fwcfg_reset(f);
	return bus_claim(pio, BOARD_PORT_FWCFG, BOARD_PORT_FWCFG_SIZE,
			 &fwcfg_ops, f);
}

void fwcfg_reset(struct fwcfg *f)
{
	f->key = KEY_SIGNATURE;
	f->pos = 0;
	f->dma = 0;
}

void fwcfg_close(struct fwcfg *f)
{
	if (f->pio)
		bus_release(f->pio, BOARD_PORT_FWCFG, f);
}
