/* SPDX-License-Identifier: MIT */
/* The program that speaks to servers: started by killick, one process a source (killick-adapters(7)). */
#include "config.h"
#include "remote/remote.h"

int main(int argc, char **argv)
{
	return remote_main(argc, argv);
}
