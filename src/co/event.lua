-- An event is set once; whoever waits for it goes on then.

local part = ...
local task = part "task"

local event = { public = {} }

local Event = {}
Event.__index = Event

function Event:set()
    if self.is_set then return end
    self.is_set = true
    for t in pairs(self.waiters) do task.wake(t, true) end
    self.waiters = {}
end

local function leave(t)
    t.waits_on.waiters[t] = nil
    task.give_up(t)
end

function Event:wait()
    local t = task.me()
    task.about_to_park(t)
    if self.is_set then return true end
    self.waiters[t] = true
    t.waits_on = self
    task.park(t, leave, "event")
    return true
end

function event.public.event()
    return setmetatable({ waiters = {} }, Event)
end

return event
