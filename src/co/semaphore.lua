-- A semaphore: `n` tasks at once are in what it guards.

local part = ...
local group = part "group"
local scope = part "scope"
local task = part "task"
local raise = part "place".raise

local semaphore = { public = {} }

local Semaphore = {}
Semaphore.__index = Semaphore

function semaphore.public.semaphore(n)
    if not part("options").is_count(n, 1) then
        raise("bad argument #1 to 'semaphore' (a number from 1 on expected)")
    end
    return setmetatable({ free = n, first = 1, last = 0 }, Semaphore)
end

function Semaphore:release()
    while self.first <= self.last do
        local t = self[self.first]
        self[self.first] = nil
        self.first = self.first + 1
        if t then
            t.undo = self.give_back
            task.wake(t, true)
            return
        end
    end
    self.free = self.free + 1
end

-- A task that is cancelled before it knows that it has been let in.
function Semaphore.give_back(t)
    task.unwake(t)
    t.waits_on:release()
end

local function leave(t)
    local self = t.waits_on
    for place = self.first, self.last do
        if self[place] == t then self[place] = false end
    end
    task.give_up(t)
end

function Semaphore:acquire()
    local t = task.me()
    task.about_to_park(t)
    if self.free > 0 then
        self.free = self.free - 1
        return true
    end
    self.last = self.last + 1
    self[self.last] = t
    t.waits_on = self
    task.park(t, leave, "semaphore")
    return true
end

-- Calls `f` within; its results.
function Semaphore:with(f, ...)
    scope.check_function(f, "with", 1)
    self:acquire()
    local t = task.me()
    local child = group.call_within(self, f, ...)
    return group.results(t, child)
end

return semaphore
