/* SPDX-License-Identifier: MIT */
/* The program: a table of commands (commands.c), and the screens when no command is given. */
#include "config.h"
#include "killick/cmd/cmd.h"
#include "killick/tui/tui.h"

int main(int argc, char **argv)
{
	return cmd_main(argc, argv, tui_main);
}
