/* SPDX-License-Identifier: MIT */
/* The program: a table of commands, nothing else. */
#include "config.h"
#include <stdio.h>

int main(void)
{
	puts(PACKAGE_STRING);
	return 0;
}
