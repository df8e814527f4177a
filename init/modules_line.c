/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "modules.h"

bool modules_line(char *line, char **name, char **options)
{
	char *end;

	line[strcspn(line, "#\r\n")] = 0;
	line += strspn(line, " \t");
	for (end = line + strlen(line); end > line && strchr(" \t", end[-1]); end--)
		end[-1] = 0;
	*name = line;
	line += strcspn(line, " \t");
	if (*line)
		*line++ = 0;
	*options = line + strspn(line, " \t");
	return **name;
}
