/*
 * The floor: the names of luring over functions that do as little as they can. The same
 * Lua code over this module costs what Lua itself costs; what luring costs above it is
 * luring's own.
 *
 * do_cqes calls the callback of each action that was queued, with what a real one gets: a
 * light userdata, an integer and, for read and recv, a string, which is made for the call.
 */
#include <lauxlib.h>
#include <lua.h>

/* A table that all functions share. Its first place is in its array: no hash, no luck. */
#define CALLBACK lua_upvalueindex(1)

static char data[1 << 20];
static int arguments;
static lua_Integer size;
static long in_flight;

/* All actions of a run are of one kind and one size, and share one callback. */
static int queue(lua_State *L)
{
	if (arguments == 0) {
		arguments = lua_isinteger(L, 3) ? 3 : 2;
		size = lua_isinteger(L, 3) ? lua_tointeger(L, 3) : (lua_Integer)lua_rawlen(L, 3);
		lua_settop(L, 5);
		lua_rawseti(L, CALLBACK, 1);
	}
	in_flight++;
	lua_pushlightuserdata(L, data);
	return 1;
}

static int do_cqes(lua_State *L)
{
	for (; in_flight > 0; in_flight--) {
		lua_rawgeti(L, CALLBACK, 1);
		lua_pushlightuserdata(L, data);
		lua_pushinteger(L, size);
		if (arguments == 3)
			lua_pushlstring(L, data, size);
		lua_call(L, arguments, 0);
	}
	lua_pushinteger(L, -11);
	return 1;
}

static int nothing(lua_State *L)
{
	(void)L;
	return 0;
}

static int number(lua_State *L)
{
	lua_pushinteger(L, in_flight);
	return 1;
}

static int queue_init(lua_State *L)
{
	lua_newuserdatauv(L, 16, 0);
	return 1;
}

int luaopen_luring(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "cqe_seen", nothing }, { "do_cqes", do_cqes },
		{ "queue_exit", nothing }, { "queue_init", queue_init },
		{ "read", queue }, { "recv", queue },
		{ "send", queue }, { "submit", number },
		{ "submit_and_wait", number }, { "write", queue },
		{ NULL, NULL },
	};
	luaL_newlibtable(L, functions);
	lua_createtable(L, 1, 0);
	luaL_setfuncs(L, functions, 1);
	return 1;
}
