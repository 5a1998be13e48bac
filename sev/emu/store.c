/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: see the header.
 */
#include "sev/emu/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int path_of(char path[PATH_MAX], const char *dir, const char *name,
		   const char *suffix, const char *more)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s%s", dir, name, suffix, more);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int store_write(const char *dir, const char *name, const char *suffix,
		const void *p, size_t len)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	int rc = path_of(path, dir, name, suffix, "");
	ssize_t n;
	int fd;

	if (!rc)
		rc = path_of(tmp, dir, name, suffix, ".new");
	if (rc)
		return rc;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, p, len);
	rc = n < 0 ? -errno : (size_t)n < len ? -ENOSPC : 0;
	close(fd);
	if (!rc && rename(tmp, path))
		rc = -errno;
	return rc;
}

int store_read(const char *dir, const char *name, const char *suffix, void *p,
	       size_t len)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = path_of(path, dir, name, suffix, "");
	int fd;

	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (st.st_size != (off_t)len || read(fd, p, len) != (ssize_t)len)
		rc = -EBADMSG;
	close(fd);
	return rc;
}

int store_remove(const char *dir, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int rc = path_of(path, dir, name, suffix, "");

	if (!rc && unlink(path) && errno != ENOENT)
		rc = -errno;
	return rc;
}

int store_key(const char *dir, const char *name, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long n;
	int rc = -EIO;

	if (b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)) {
		n = BIO_get_mem_data(b, &pem);
		if (n > 0)
			rc = store_write(dir, name, ".key", pem, (size_t)n);
	}
	BIO_free(b);
	return rc;
}

int store_load_key(const char *dir, const char *name, EVP_PKEY **key)
{
	char path[PATH_MAX];
	int rc = path_of(path, dir, name, ".key", "");
	BIO *b;

	if (rc)
		return rc;
	if (access(path, R_OK))
		return -errno;
	b = BIO_new_file(path, "r");
	EVP_PKEY_free(*key);
	*key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	return *key ? 0 : -EBADMSG;
}

static int make_parents(const char *dir)
{
	char path[PATH_MAX];
	size_t n = strlen(dir);

	if (n >= sizeof path)
		return -ENAMETOOLONG;
	bytes_copy(path, sizeof path, dir, n + 1);
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		path[i] = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		path[i] = '/';
	}
	return 0;
}

int store_temporary(const char *dir, char *tmp, size_t cap)
{
	int rc = make_parents(dir);
	int n;

	if (rc)
		return rc;
	n = snprintf(tmp, cap, "%s.XXXXXX", dir);
	if (n < 0 || (size_t)n >= cap)
		return -ENAMETOOLONG;
	return mkdtemp(tmp) ? 0 : -errno;
}
