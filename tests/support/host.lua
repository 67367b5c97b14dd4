-- Loads host.c, built for the Lua that runs.

local child = require "child"

local version = _VERSION:match("%d%.%d")
local number = 500 + tonumber(version:match("%d$"))
local path = child.compile("host.c", ("host-%s.so"):format(version), ("-shared -fPIC -DLUA_NUM=%d"):format(number))
local host = assert(package.loadlib(path, "luaopen_host"))()
host.path = path
return host
