/* Preloaded: malloc fails while it is told to. Lua takes its own memory by realloc. A module
   as well, so that the program can tell it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

typedef struct lua_State lua_State;
extern int lua_toboolean(lua_State *, int);

static int none;

void *malloc(size_t size)
{
	static void *(*next)(size_t);
	if (none) {
		errno = ENOMEM;
		return NULL;
	}
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "malloc");
	return next(size);
}

/* no_memory(yes) */
int luaopen_no_memory(lua_State *L)
{
	none = lua_toboolean(L, 1);
	return 0;
}
