/*
 * sockets COMMAND...: runs a command with sockets that never make it wait: a datagram
 * socket whose peer drops what it has no room for as 3, and one half of a pair that always
 * has something to look at with MSG_PEEK as 4.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int try(int returned, const char *what)
{
	if (returned < 0) {
		perror(what);
		exit(1);
	}
	return returned;
}

int main(int argc, char **argv)
{
	static const char data[1 << 16];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int receiver, sender, pair[2];

	if (argc < 2)
		return 2;
	receiver = try(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	try(bind(receiver, (struct sockaddr *)&address, len), "bind");
	try(getsockname(receiver, (struct sockaddr *)&address, &len), "getsockname");
	sender = try(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	try(connect(sender, (struct sockaddr *)&address, len), "connect");
	try(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	try(write(pair[0], data, sizeof data), "write");
	/* High first, so that none is overwritten before it is moved. */
	try(dup2(pair[1], 104), "dup2");
	try(dup2(sender, 103), "dup2");
	try(dup2(receiver, 105), "dup2");
	try(dup2(pair[0], 106), "dup2");
	try(dup2(104, 4), "dup2");
	try(dup2(103, 3), "dup2");
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
