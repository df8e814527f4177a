/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any three strings as where the host mounts a filesystem, an image's path on it, and a name in
 * its header: the path that comes of it is plain, and stays below the root. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imagesearch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *path)
{
	size_t n;

	for (; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0) ||
		    (path[n] == '/' && !path[n + 1]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text, *path = NULL;
	const char *mounted_at = strsep(&rest, "\n"), *from = rest ? strsep(&rest, "\n") : "";
	struct err e = { 0 };
	int rc = path_named(mounted_at, from, rest ? rest : "", &path, &e);

	if (rc != -e.code || (rc == 0) != (path != NULL))
		abort();
	if (path)
		check(path);
	free(path);
	free(text);
	return 0;
}
