-- The module's table, from its parts. A part is a file, or comes from the caller: a file is given
-- `part`, which gives the other parts, and returns a table. What is public has a place in `co`.

local chunks, actions, catching = ...
local luring = require "luring"

local parts = { actions_there_are = actions, catching = catching }

local function part(name)
    local made = parts[name]
    if not made then
        made = chunks[name](part)
        parts[name] = made
    end
    return made
end

-- What a program finds in `co` and is no constant comes from these.
local PUBLIC = {
    "failure", "loop", "task", "scope", "group", "calls", "actions", "event", "semaphore", "channel",
    "stream", "resolve", "server", "connect", "relay", "file", "signal", "process",
}

local co = {}
for name, value in pairs(luring) do
    if type(value) == "number" then co[name] = value end
end
for _, name in ipairs(PUBLIC) do
    for public, value in pairs(part(name).public or {}) do co[public] = value end
end
return co
