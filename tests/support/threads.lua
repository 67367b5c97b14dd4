-- threads.lua: runs thread.lua in several threads at once (THREADS, ROUNDS). Prints what one of them has failed with.

local child = require "child"
local host = require "host"

local threads = tonumber(os.getenv "THREADS")
local why = host.threads(threads, child.contents(child.support .. "thread.lua"))
print(why or "fine")
os.exit(why and 1 or 0)
