/* What the tests need and Lua has not: processes, signals, other Lua states. A module for
   every Lua, without its headers: LUA_NUM is 501 to 505, and 501 for LuaJIT too. */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct lua_State lua_State;
#if LUA_NUM < 503
typedef ptrdiff_t lua_Integer;
#else
typedef long long lua_Integer;
#endif
typedef int (*lua_CFunction)(lua_State *);

extern lua_Integer luaL_checkinteger(lua_State *, int);
extern const char *luaL_checklstring(lua_State *, int, size_t *);
extern lua_State *luaL_newstate(void);
typedef void *(*lua_Alloc)(void *, void *, size_t, size_t);
#if LUA_NUM < 505
extern lua_State *lua_newstate(lua_Alloc, void *);
#else
extern lua_State *lua_newstate(lua_Alloc, void *, unsigned);
#define lua_newstate(f, u) lua_newstate(f, u, 0)
#endif
extern void lua_pushvalue(lua_State *, int);
extern int lua_type(lua_State *, int);
extern int luaL_loadstring(lua_State *, const char *);
extern void lua_close(lua_State *);
extern void lua_createtable(lua_State *, int, int);
extern void lua_pushcclosure(lua_State *, lua_CFunction, int);
extern void lua_pushinteger(lua_State *, lua_Integer);
extern void lua_pushlightuserdata(lua_State *, void *);
extern void lua_pushnil(lua_State *);
extern int lua_toboolean(lua_State *, int);
extern int lua_gettop(lua_State *);
extern void lua_settop(lua_State *, int);
extern void lua_setfield(lua_State *, int, const char *);
extern const char *lua_tolstring(lua_State *, int, size_t *);
#if LUA_NUM == 501
extern int lua_pcall(lua_State *, int, int, int);
extern void lua_pushstring(lua_State *, const char *);
#else
extern int lua_pcallk(lua_State *, int, int, int, ptrdiff_t, void *);
extern const char *lua_pushstring(lua_State *, const char *);
#define lua_pcall(L, a, r, h) lua_pcallk(L, a, r, h, 0, NULL)
#endif
#if LUA_NUM < 505
extern void luaL_openlibs(lua_State *);
#else
extern void luaL_openselectedlibs(lua_State *, int, int);
#define luaL_openlibs(L) luaL_openselectedlibs(L, ~0, 0)
#endif

static int number(lua_State *L, lua_Integer n)
{
	lua_pushinteger(L, n);
	return 1;
}

/* fork(): the child's id, or 0 in the child */
static int host_fork(lua_State *L)
{
	return number(L, fork());
}

/* wait(pid): the exit status, or 128 + the signal that ended it */
static int host_wait(lua_State *L)
{
	int status;
	pid_t pid = (pid_t)luaL_checkinteger(L, 1);
	while (waitpid(pid, &status, 0) < 0)
		;
	return number(L, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* exit(status): at once, without closing the state */
static int host_exit(lua_State *L)
{
	_exit((int)luaL_checkinteger(L, 1));
}

static void nothing(int signal)
{
	(void)signal;
}

/* alarm(milliseconds): a signal that is caught and does nothing */
static int host_alarm(lua_State *L)
{
	lua_Integer ms = luaL_checkinteger(L, 1);
	struct itimerval time = { .it_value = { ms / 1000, ms % 1000 * 1000 } };
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = nothing;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &time, NULL);
	return 0;
}

/* umask(mask): the one before */
static int host_umask(lua_State *L)
{
	return number(L, umask((mode_t)luaL_checkinteger(L, 1)));
}

/* unset(name): takes a variable out of the environment */
static int host_unset(lua_State *L)
{
	return number(L, unsetenv(luaL_checklstring(L, 1, NULL)));
}

/* mode(path): the permissions of a file */
static int host_mode(lua_State *L)
{
	struct stat file;
	if (stat(luaL_checklstring(L, 1, NULL), &file) != 0)
		return 0;
	return number(L, file.st_mode & 07777);
}

/* limit(descriptors): how many may be open; the limit before */
static int host_limit(lua_State *L)
{
	struct rlimit limit;
	lua_Integer before;
	getrlimit(RLIMIT_NOFILE, &limit);
	before = (lua_Integer)limit.rlim_cur;
	limit.rlim_cur = (rlim_t)luaL_checkinteger(L, 1);
	setrlimit(RLIMIT_NOFILE, &limit);
	return number(L, before);
}

/* no_addresses(none): whether the process has all the addresses that it may have */
static int host_no_addresses(lua_State *L)
{
	struct rlimit limit;
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = lua_toboolean(L, 1) ? 0 : limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
	return 0;
}

/* strerror(errno): the C library's words */
static int host_strerror(lua_State *L)
{
	lua_pushstring(L, strerror((int)luaL_checkinteger(L, 1)));
	return 1;
}

/* close(fd): as another module's function would, which knows no rings */
static int host_close(lua_State *L)
{
	return number(L, close((int)luaL_checkinteger(L, 1)));
}

/* light(n): a light userdata */
static int host_light(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)luaL_checkinteger(L, 1));
	return 1;
}

/* state(chunk): runs it in a state of its own, which is closed then; nil, or the error */
static int host_state(lua_State *L)
{
	const char *chunk = luaL_checklstring(L, 1, NULL);
	lua_State *other = luaL_newstate();
	luaL_openlibs(other);
	if (luaL_loadstring(other, chunk) != 0 || lua_pcall(other, 0, 0, 0) != 0)
		lua_pushstring(L, lua_tolstring(other, -1, NULL));
	else
		lua_pushnil(L);
	lua_close(other);
	return 1;
}

/* An allocator that fails, while it is armed, from the `first`-th time on that it is asked for
   more, `span` times. */
struct starved { int armed; long asked, first, span, failed; };

static void *starved_alloc(void *data, void *block, size_t before, size_t size)
{
	struct starved *s = data;
	if (size == 0) {
		free(block);
		return NULL;
	}
	/* Without a block, `before` is a type. */
	if (s->armed && (!block || size > before)) {
		s->asked++;
		if (s->asked >= s->first && s->asked - s->first < s->span) {
			s->failed++;
			return NULL;
		}
	}
	return realloc(block, size);
}

/* The error at the top of another state's stack, in the words of this one. */
static void push_error(lua_State *L, lua_State *other)
{
	const char *text = lua_type(other, -1) == 4 ? lua_tolstring(other, -1, NULL) : NULL;
	lua_pushstring(L, text ? text : "an error that is no string");
}

/* starve(chunk, span, step): runs the chunk in a state of its own, which gives two functions. The
   first is called again and again: of the n-th call the allocation n * step fails, and `span` - 1
   more. Then the second gets the error, or nil, with all memory there is. The end is a call for
   which nothing failed. Returns how many calls there were and nil, or the error of the second; nil
   where the interpreter takes no allocator. */
static int host_starve(lua_State *L)
{
	struct starved s = { 0 };
	const char *chunk = luaL_checklstring(L, 1, NULL);
	lua_Integer step = luaL_checkinteger(L, 3), calls = 0;
	lua_State *other;
	int failed = 0;
	s.span = (long)luaL_checkinteger(L, 2);
	other = lua_newstate(starved_alloc, &s);
	if (!other)
		return 0;
	luaL_openlibs(other);
	failed = luaL_loadstring(other, chunk) != 0 || lua_pcall(other, 0, 2, 0) != 0;
	do {
		if (failed)
			break;
		lua_pushvalue(other, 2);
		lua_pushvalue(other, 1);
		s.first = (long)(++calls * step);
		s.asked = s.failed = 0;
		s.armed = 1;
		if (lua_pcall(other, 0, 0, 0) == 0) {
			s.armed = 0;
			lua_pushnil(other);
		}
		s.armed = 0;
		failed = lua_pcall(other, 1, 0, 0) != 0;
	} while (s.failed);
	lua_pushinteger(L, calls);
	if (failed)
		push_error(L, other);
	else
		lua_pushnil(L);
	lua_close(other);
	return 2;
}

/* signal(number): sends one to this thread, so that it has come when this returns */
static int host_signal(lua_State *L)
{
	return number(L, raise((int)luaL_checkinteger(L, 1)));
}

static void *call(void *L)
{
	return (void *)(intptr_t)lua_pcall(L, 0, 0, 0);
}

/* thread(f): calls f in another thread, and waits; nil, or the error */
static int host_thread(lua_State *L)
{
	pthread_t thread;
	void *status = NULL;
	lua_settop(L, 1);
	if (pthread_create(&thread, NULL, call, L) != 0)
		lua_pushstring(L, "no thread");
	else if (pthread_join(thread, &status) == 0 && status == NULL)
		lua_pushnil(L);
	return 1;
}

/* What the threads tell each other: numbers, of which nothing else depends. */
static long shared[64];

/* share(place, number?): the number there, after another was put there */
static int host_share(lua_State *L)
{
	size_t place = (size_t)luaL_checkinteger(L, 1) % (sizeof shared / sizeof *shared);
	if (lua_gettop(L) > 1)
		__atomic_store_n(&shared[place], (long)luaL_checkinteger(L, 2), __ATOMIC_SEQ_CST);
	return number(L, __atomic_load_n(&shared[place], __ATOMIC_SEQ_CST));
}

struct start {
	const char *chunk;
	int number;
	pthread_t thread;
	char failure[512];
};

int luaopen_host(lua_State *L);

static void *run(void *argument)
{
	struct start *start = argument;
	lua_State *L = luaL_newstate();
	int failed;
	luaL_openlibs(L);
	failed = luaL_loadstring(L, start->chunk);
	if (failed == 0) {
		lua_pushinteger(L, start->number);
		luaopen_host(L);
		failed = lua_pcall(L, 2, 0, 0);
	}
	if (failed != 0) {
		const char *why = lua_tolstring(L, -1, NULL);
		snprintf(start->failure, sizeof start->failure, "%s", why ? why : "no text");
	}
	lua_close(L);
	return NULL;
}

/* threads(count, chunk): runs it in so many threads at once, each with a state of its own, and the
   thread's number, from 1 on, and this module for its arguments; nil, or one's error */
static int host_threads(lua_State *L)
{
	static struct start starts[16];
	int count = (int)luaL_checkinteger(L, 1) % 17, begun = 0;
	const char *failure = NULL;
	for (; begun < count; begun++) {
		struct start *start = &starts[begun];
		start->chunk = luaL_checklstring(L, 2, NULL);
		start->number = begun + 1;
		start->failure[0] = '\0';
		if (pthread_create(&start->thread, NULL, run, start) != 0) {
			failure = "no thread";
			break;
		}
	}
	for (int i = 0; i < begun; i++) {
		pthread_join(starts[i].thread, NULL);
		if (starts[i].failure[0])
			failure = starts[i].failure;
	}
	if (failure)
		lua_pushstring(L, failure);
	else
		lua_pushnil(L);
	return 1;
}

int luaopen_host(lua_State *L)
{
	static const struct { const char *name; lua_CFunction function; } all[] = {
		{ "fork", host_fork }, { "thread", host_thread },
		{ "wait", host_wait }, { "exit", host_exit },
		{ "alarm", host_alarm }, { "umask", host_umask }, { "mode", host_mode },
		{ "limit", host_limit }, { "no_addresses", host_no_addresses }, { "light", host_light }, { "state", host_state },
		{ "strerror", host_strerror }, { "starve", host_starve },
		{ "close", host_close }, { "share", host_share }, { "threads", host_threads },
		{ "signal", host_signal }, { "unset", host_unset },
	};
	lua_createtable(L, 0, 16);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		lua_pushcclosure(L, all[i].function, 0);
		lua_setfield(L, -2, all[i].name);
	}
	return 1;
}
