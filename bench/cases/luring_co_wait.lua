-- Tasks that each write 64 bytes into a socket and read them from its other end, again and again.
-- Usage: lua luring_co_wait.lua TASKS COUNT
-- COUNT waits in all, and a tenth of that before, to warm up.

local co = require "luring.co"
local luring = require "luring"

local tasks, count = tonumber(arg[1]), tonumber(arg[2])
local data = ("x"):rep(64)

local function work(waits)
    local one, other = luring.socketpair()
    local from, to = co.stream(one), co.stream(other)
    for _ = 1, waits // 2 do
        to:write(data)
        assert(from:read(64) == data)
    end
end

co.run(function()
    for _, waits in ipairs { count // 10, count } do
        co.scope(function()
            for _ = 1, tasks do co.spawn(work, waits // tasks) end
        end)
    end
end)
