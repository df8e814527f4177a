# SPDX-License-Identifier: GPL-2.0-or-later
# The nodes that an `expect` must name, a line each, "STACK<tab>VERDICT CODE": whatever may hold data at the top of a stack, and
# of the layers below everything that is not just "ok".
.nodes[]
| select((.kind | IN("filesystem", "hostfs", "swap", "unknown")) or .verdict != "ok" or .code != "")
| "\(.stack)\t\([.verdict, .code] | map(select(. != "")) | join(" "))"
