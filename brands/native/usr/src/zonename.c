/*
 * zonename - the name of the zone (zonename(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <zone.h>

int main(void)
{
	char name[ZONENAME_MAX];

	if (zone_getattr(getzoneid(), ZONE_ATTR_NAME, name, sizeof name) == -1) {
		perror("zonename");
		return 1;
	}
	puts(name);
	return 0;
}
