/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: describes a file as one JSON object, and prints that as JSON or as
 * lines: what people and programs read cannot differ.
 */
#include "sev/owner/show.h"

#include <errno.h>
#include <stdio.h>

#include "sev/owner/cert.h"
#include "sev/owner/files.h"
#include "sev/owner/secret.h"
#include "vmm/log.h"

/* A full table of secrets in base64; 64 KiB of locked memory must do. */
#define SHOW_MAX (24 * 1024)

static json_t *hex(const uint8_t *p, size_t len)
{
	char text[129];

	CHECK(2 * len < sizeof(text));
	text_hex_write(text, sizeof(text), p, len);
	return json_string(text);
}

static json_t *guid(const uint8_t *p)
{
	char text[GUID_TEXT];

	text_guid_write(text, p);
	return json_string(text);
}

static json_t *broken(const char *kind, const char *why)
{
	return json_pack("{s:s, s:s}", "kind", kind, "broken", why);
}

static json_t *describe_sev_cert(const uint8_t *p, size_t len)
{
	struct sev_cert c;
	const char *why;
	json_t *o, *sigs;

	if (sev_cert_parse(&c, p, len, &why))
		return broken("SEV certificate", why);
	sigs = json_array();
	for (size_t i = 0; i < 2; i++)
		if (c.sig[i].usage != USAGE_NONE)
			json_array_append_new(
				sigs, json_pack("{s:s, s:s}", "by",
						cert_usage_name(c.sig[i].usage),
						"algorithm",
						cert_algo_name(c.sig[i].algo)));
	o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o}", "kind",
		      "SEV certificate", "usage", cert_usage_name(c.usage),
		      "algorithm", cert_algo_name(c.algo), "curve", "P-384",
		      "api-major", c.api_major, "api-minor", c.api_minor,
		      "signatures", sigs);
	return o;
}

static json_t *describe_amd_cert(const uint8_t *p, size_t len)
{
	struct amd_cert c;
	uint8_t print[32];
	const char *why;

	if (amd_cert_parse(&c, p, len, &why))
		return broken("AMD certificate", why);
	if (amd_cert_fingerprint(&c, print))
		return NULL;
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "kind",
			 "AMD certificate", "usage", cert_usage_name(c.usage),
			 "rsa-bits", (int)(8 * c.key_len), "key-id",
			 hex(c.key_id, sizeof(c.key_id)), "signer-id",
			 hex(c.signer_id, sizeof(c.signer_id)), "key-sha256",
			 hex(print, sizeof(print)));
}

static json_t *describe_chain(const uint8_t *p, size_t len)
{
	json_t *certs = json_array();

	for (size_t at = 0; at < len; at += SEV_CERT_LEN)
		json_array_append_new(certs,
				      describe_sev_cert(p + at, SEV_CERT_LEN));
	return json_pack("{s:s, s:o}", "kind", "certificate chain",
			 "certificates", certs);
}

/*
 * Nothing marks these two but their length, which a secret may have as well,
 * as it is or in base64: `fields` is the owner's word that it is none.
 */
static json_t *unmarked(const char *kind)
{
	return json_pack("{s:s, s:s}", "kind", kind, "note",
			 "by its length alone, so its bytes are not shown; "
			 "--fields shows them");
}

/* The keys inside are wrapped: in a true session nothing is secret. */
static json_t *describe_session(const uint8_t *p, bool fields)
{
	if (!fields)
		return unmarked("launch session");
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "kind",
			 "launch session", "nonce", hex(p, 16), "wrapped-tk",
			 hex(p + 16, 32), "wrap-iv", hex(p + 48, 16),
			 "wrap-mac", hex(p + 64, 32), "policy-mac",
			 hex(p + 96, 32));
}

static json_t *describe_measurement(const uint8_t *p, bool fields)
{
	if (!fields)
		return unmarked("launch measurement");
	return json_pack("{s:s, s:o, s:o}", "kind", "launch measurement", "mac",
			 hex(p, SEV_MAC_LEN), "nonce",
			 hex(p + SEV_MAC_LEN, SEV_NONCE_LEN));
}

/* Its flags have one bit (SEV API, table 47). */
static json_t *describe_header(const uint8_t *p, size_t len)
{
	(void)len;
	if (get_le32(p) > 1)
		return NULL;
	return json_pack("{s:s, s:I, s:o, s:o}", "kind", "secret packet header",
			 "flags", (json_int_t)get_le32(p), "iv", hex(p + 4, 16),
			 "mac", hex(p + 20, 32));
}

static json_t *describe_tk(const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return json_pack("{s:s, s:s}", "kind", "32 bytes", "note",
			 "perhaps transport keys, TEK and TIK: not "
			 "shown");
}

static json_t *describe_table(const uint8_t *p, size_t len)
{
	struct secret_entry entry[SECRET_ENTRIES_MAX];
	int n = secret_table_parse(p, len, entry);
	json_t *list;

	if (n < 0)
		return NULL;
	list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:I}", "guid",
						guid(entry[i].guid), "bytes",
						(json_int_t)entry[i].len));
	return json_pack("{s:s, s:o}", "kind", "secret table", "entries", list);
}

/* 9438d606-4f22-4cc9-b479-a793d411fd21, then {GUID, u16 50, SHA-256} thrice. */
static json_t *describe_hashes(const uint8_t *p, size_t len)
{
	static const uint8_t head[GUID_LEN] = {
		0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
		0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21,
	};
	enum { HEAD = GUID_LEN + 2, ENTRY = GUID_LEN + 2 + 32 };
	json_t *list;
	size_t end;

	if (len < HEAD || memcmp(p, head, GUID_LEN))
		return NULL;
	end = get_le16(p + GUID_LEN);
	if (end > len || end < HEAD || (end - HEAD) % ENTRY)
		return broken("kernel hash table", "its length lies");
	list = json_array();
	for (size_t at = HEAD; at < end; at += ENTRY)
		json_array_append_new(
			list,
			json_pack("{s:o, s:o}", "guid", guid(p + at), "sha256",
				  hex(p + at + GUID_LEN + 2, 32)));
	return json_pack("{s:s, s:o}", "kind", "kernel hash table", "entries",
			 list);
}

static const struct {
	size_t len; /* 0: any */
	json_t *(*describe)(const uint8_t *p, size_t len);
} formats[] = {
	{ 0, describe_table },
	{ 0, describe_hashes },
	{ SEV_CERT_LEN, describe_sev_cert },
	{ SEV_CHAIN_LEN, describe_chain },
	{ AMD_CERT_KEY + 3 * 256, describe_amd_cert },
	{ AMD_CERT_KEY + 3 * 512, describe_amd_cert },
	{ SEV_SECRET_HEADER_LEN, describe_header },
	{ 32, describe_tk },
};

json_t *show_describe(const uint8_t *p, size_t len, bool fields)
{
	json_t *o = NULL;

	for (size_t i = 0; i < ARRAY_LEN(formats) && !o; i++)
		if (!formats[i].len || formats[i].len == len)
			o = formats[i].describe(p, len);
	if (!o && len == SEV_SESSION_LEN)
		o = describe_session(p, fields);
	if (!o && len == SEV_MEASUREMENT_LEN)
		o = describe_measurement(p, fields);
	return o;
}

static void print_lines(json_t *o, int depth);

static void print_value(const char *key, json_t *v, int depth)
{
	size_t i;
	json_t *item;

	printf("%*s%s:", 2 * depth, "", key);
	if (json_is_string(v)) {
		printf(" %s\n", json_string_value(v));
	} else if (json_is_integer(v)) {
		printf(" %lld\n", (long long)json_integer_value(v));
	} else {
		printf("\n");
		json_array_foreach(v, i, item)
		{
			printf("%*s%zu\n", 2 * depth + 2, "", i);
			print_lines(item, depth + 2);
		}
	}
}

static void print_lines(json_t *o, int depth)
{
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v)
		print_value(key, v, depth);
}

static int print(const char *path, const uint8_t *p, size_t len, bool json,
		 bool fields)
{
	json_t *o = show_describe(p, len, fields);

	if (!o) {
		log_error("%s (%zu bytes) is of no known kind: certificate, "
			  "chain, session, measurement, packet header, table "
			  "of secrets or of kernel hashes",
			  path, len);
		return -EINVAL;
	}
	if (json) {
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_lines(o, 0);
	}
	json_decref(o);
	return 0;
}

int show_file(const char *path, bool json, bool fields)
{
	/* It may be a table of secrets: keep it where those belong. */
	uint8_t *buf = keys_alloc(SHOW_MAX);
	size_t len;
	int rc;

	if (!buf)
		return -ENOMEM;
	rc = files_read_either(path, buf, SHOW_MAX, &len);
	if (!rc)
		rc = print(path, buf, len, json, fields);
	keys_free(buf, SHOW_MAX);
	return rc;
}
