/* supervise CALLS ERRNO EVERY FROM COMMAND...: runs a command of which every EVERY-th of these system
   calls fails with that error, from the FROM-th on; the others are made. CALLS is io_uring_enter or
   io_uring_register, or both. Where seccomp has no such thing it ends with 77. */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTER = 426, REGISTER = 427 }; /* the same numbers on every architecture but alpha */

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
int main(void)
{
	return 77;
}
#else

static int listener(int enter, int registering)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, enter ? ENTER : REGISTER, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, registering ? REGISTER : ENTER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void pass(int way, int fd)
{
	char space[CMSG_SPACE(sizeof fd)] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	if (fd >= 0)
		sendmsg(way, &message, 0);
}

static int take(int way)
{
	int fd = -1;
	char space[CMSG_SPACE(sizeof fd)] = { 0 }, byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header;
	if (recvmsg(way, &message, 0) == 1 && (header = CMSG_FIRSTHDR(&message)))
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

int main(int argc, char **argv)
{
	int ways[2], fd, ended, status;
	long calls = 0, every, from;
	pid_t child;
	if (argc < 6 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ways) != 0)
		return 2;
	every = atol(argv[3]);
	from = atol(argv[4]);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = listener(strstr(argv[1], "enter") != NULL, strstr(argv[1], "register") != NULL);
		if (fd < 0)
			_exit(77);
		pass(ways[1], fd);
		close(fd);
		execvp(argv[5], argv + 5);
		_exit(2);
	}
	close(ways[1]);
	fd = take(ways[0]);
	ended = (int)syscall(SYS_pidfd_open, child, 0); /* until it is waited for, older kernels keep its filter */
	while (fd >= 0) {
		struct seccomp_notif asked;
		struct seccomp_notif_resp answer;
		struct pollfd wait[] = { { .fd = fd, .events = POLLIN }, { .fd = ended, .events = POLLIN } };
		if (poll(wait, 2, -1) < 0 || !(wait[0].revents & POLLIN))
			break; /* nobody is left who could ask */
		memset(&asked, 0, sizeof asked);
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
			continue; /* it was killed meanwhile */
		memset(&answer, 0, sizeof answer);
		answer.id = asked.id;
		calls++;
		if (calls >= from && (calls - from) % every == 0)
			answer.error = -atoi(argv[2]);
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	while (waitpid(child, &status, 0) < 0)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
#endif
