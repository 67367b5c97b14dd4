-- Loops: a ring, the tasks on it, and their deadlines.

local luring = require "luring"
local part = ...
local failure = part "failure"
local task = part "task"
local timers = part "timers"
local place_of, raise = part "place".where, part "place".raise

local loop = { public = {}, SMALL = 4096 }

local Loop = {}
Loop.__index = Loop
loop.Loop = Loop

local ENTRIES = 256 -- of the ring that a loop makes for itself
local CREDIT = 256 -- completions a turn
local PATIENCE = 100 -- turns in a row that may fail
local SHORT = 3 -- seconds for which the kernel may have no room or memory for anything
local AGAIN = 0.01 -- seconds until a cancellation is asked for again
local LONGEST = 2 ^ 32 -- seconds of the kernel's timeout, which knows no more than 2^63: it is set again then
local MANY = 1000 -- tasks that are so many that their streams share buffers
local SHARED = 1024 -- of these

local OPTIONS = { ring = true, clock = true }

local huge = math.huge
local unpack = table.unpack or unpack -- luacheck: ignore 143

-- The error of a ring that can't be made says so, and not where in here.
local function new_ring()
    local ok, ring = pcall(luring.queue_init, ENTRIES, 0)
    if not ok then error(ring, 0) end
    return ring
end

-- A loop on a ring of the program's own, or of its own.
function loop.public.loop(options)
    options = options or {}
    part("options").check(options, OPTIONS, 1, "loop")
    if options.ring ~= nil and not pcall(luring.ring_fd, options.ring) then
        raise("bad option 'ring' (a ring expected)")
    end
    if options.clock ~= nil and options.clock ~= "virtual" then raise([[bad option 'clock' ("virtual" expected)]]) end
    return setmetatable({
        ring = options.ring or new_ring(),
        tasks = {}, count = 0, -- those that have not ended
        ready = {}, first = 1, last = 0, -- those to run
        held = {}, -- those whose action the full queue had no room for
        owners = {}, -- scopes that own something
        cancels = {}, -- when each of those whose action is to be cancelled asks again
        deadlines = timers.new(),
        time = options.clock == "virtual" and 0 or nil,
        short = false, -- since when the kernel is short of something
        small = loop.SMALL, -- what a stream reads into at first: as many bytes, or a group of such buffers
        many = MANY, -- tasks, by which it becomes one
    }, Loop)
end

-- Lets streams read into buffers that the kernel picks when there is data, so that those that wait have none.
-- That takes a little longer, and is less memory when many wait. Where it can't be, all stays as it is.
function Loop:share_buffers()
    local ok, group = pcall(luring.buf_ring, self.ring, SHARED, loop.SMALL)
    if ok and type(group) ~= "number" then self.small = group end
    self.many = nil
end

function Loop:now()
    return self.time or luring.now()
end

-- Cancels what a task waits for; the task goes on when that has ended.
function Loop:interrupt(t)
    if not t.key and not t.held then return end
    t.cancelled_key = t.key
    self.cancels[t] = 0
    if self.asleep then self:rouse() end
end

local function ask_for_cancels(self, now)
    local cancels, ring = self.cancels, self.ring
    local soonest = huge
    for t, at in pairs(cancels) do
        if t.held then
            cancels[t] = nil
            for place, other in ipairs(self.held) do
                if other == t then table.remove(self.held, place) break end
            end
            self.dropped = self.dropped or {}
            table.insert(self.dropped, t)
        elseif not t.key or t.key ~= t.cancelled_key then
            cancels[t] = nil
        elseif at <= now then
            -- Without room in the queue it is asked for in the next turn.
            if luring.cancel(ring, t.key, 0) then
                cancels[t] = now + AGAIN
                soonest = math.min(soonest, now + AGAIN)
            else
                soonest = now
            end
        else
            soonest = math.min(soonest, at)
        end
    end
    local dropped = self.dropped
    if dropped then
        self.dropped = nil
        for _, t in ipairs(dropped) do task.drop_held(t) end
    end
    return soonest
end

-- Those that an error keeps from their turn stay.
local function queue_held(self)
    local held, rest = self.held, nil
    for place = 1, #held do
        local t = held[place]
        if t.held and (rest or not task.queue_held(t)) then
            rest = rest or {}
            rest[#rest + 1] = t
        end
    end
    self.held = rest or {}
end

-- Runs what was ready when it began.
local function run_ready(self)
    local ready, last = self.ready, self.last
    local run, now = task.run_ready, task.now
    while self.first <= last do
        local first = self.first
        local t = ready[first]
        ready[first] = nil
        self.first = first + 1
        now.task = t -- if the call fails, it is the task that does
        run(t)
    end
    if self.first > self.last then self.first, self.last = 1, 0 end
end

local function run_due(self, now)
    local deadlines = self.deadlines
    while true do
        local entry = deadlines[1]
        if not entry or entry.at > now then return end
        deadlines:remove(entry)
        entry:due(self, now)
    end
end

-- Keeps one timeout action in the kernel, for the earliest deadline.
local function arm(self, at, now)
    if at == huge or self.time then return end
    local armed = self.armed
    if armed and armed <= at then return end
    local seconds = math.min(math.max(at - now, 0), LONGEST)
    local ring = self.ring
    if armed then
        if luring.timeout_update(ring, seconds, self.timer, 0) then self.armed = at end
        return
    end
    local expired = self.expired
    if not expired then
        expired = function(cqe)
            luring.cqe_seen(ring, cqe)
            self.armed, self.timer = nil, nil
        end
        self.expired = expired
    end
    local timer = luring.timeout(ring, seconds, 0, 0, expired)
    if not timer then
        luring.submit(ring)
        timer = luring.timeout(ring, seconds, 0, 0, expired)
    end
    if timer then self.armed, self.timer = at, timer end
end

-- How many actions of tasks are in flight.
local function in_flight(self)
    return luring.in_flight(self.ring) - (self.timer and 1 or 0)
end

local PASSING = { [-luring.EAGAIN] = true, [-luring.EBUSY] = true, [-luring.ENOMEM] = true }

-- Raises what submit says, unless it is to be called again: what is queued is still there. Where the
-- kernel is short of something, that is after completions have been taken, and not for ever.
local function refuse(self, res)
    if res >= 0 then
        if self.short then self.short = false end
        return
    end
    if res == -luring.EINTR or res == -luring.ETIME then return end
    if PASSING[res] then
        local now = luring.now()
        self.short = self.short or now
        if now - self.short <= SHORT then return end
    end
    error("luring.co: submit: " .. luring.strerror(-res), 0)
end

-- One turn: what is ready runs, what it queued is submitted, and completions go to their tasks. With
-- `wait` it waits for one if nothing is ready. False: nothing is left that could happen.
local function turn(self, wait)
    run_ready(self)
    local soonest = huge
    local now
    if self.deadlines.n > 0 or next(self.cancels) then
        now = self:now()
        run_due(self, now)
        if next(self.cancels) then soonest = ask_for_cancels(self, now) end
        local entry = self.deadlines[1]
        if entry and entry.at < soonest then soonest = entry.at end
    end
    if #self.held > 0 then queue_held(self) end
    local ring = self.ring
    local possible = true
    if wait and self.first > self.last and self.count > 0 then
        if soonest < huge then arm(self, soonest, now) end
        local busy = in_flight(self)
        if busy > 0 or (soonest < huge and not self.time) then
            refuse(self, luring.submit_and_wait(ring, 1))
        elseif soonest < huge then
            self.time = soonest
        else
            possible = false
        end
    else
        if soonest < huge then arm(self, soonest, now or self:now()) end
        refuse(self, luring.submit(ring))
    end
    luring.do_cqes(ring, CREDIT)
    -- Who waits elsewhere is woken by what is in flight alone.
    if not wait and luring.sq_ready(ring) > 0 then refuse(self, luring.submit(ring)) end
    return possible
end

-- A turn in which an error is the task's whose action was refused, or stops the loop.
local function guarded_turn(self, wait)
    local ok, result = pcall(turn, self, wait)
    if ok then
        self.failures = nil
        return result
    end
    local resumed = task.now.task
    task.now.task = false
    if type(result) == "string" and result:find("belongs to the parent process", 1, true) then
        self.tasks, self.count, self.ready, self.first, self.last = {}, 0, {}, 1, 0
        task.refuse()
        self.inherited = true
        return true
    end
    local could, refused = pcall(task.refuse, result, resumed)
    if not could then -- memory is short: what fails now leaves the loop
        resumed, task.now.task = task.now.task or resumed, false
        could, refused = pcall(task.refuse, result, resumed)
    end
    task.now.task = false
    if not could then error(refused, 0) end
    local ending = task.now.ending
    task.now.ending = false
    if ending then task.insist(ending) end
    if refused then return true end
    -- A ring that is gone lets nothing end: its tasks are given up.
    self.failures = (self.failures or 0) + 1
    if self.failures > PATIENCE then self.count = 0 end
    if self.broken == nil then self.broken = { result } end
    local list = {}
    for t in pairs(self.tasks) do list[#list + 1] = t end
    for _, t in ipairs(list) do task.insist(t, "the loop has been interrupted") end
    return true
end

local function describe(t)
    local line = "task " .. t:get_name() .. " (" .. t:status() .. ")"
    local waits, where = t:waits(), t.thread and place_of(t.thread)
    if waits then line = line .. ": " .. waits end
    if where then line = line .. ", at " .. where end
    return line
end

-- The tasks of the program, those that stand for a part of another left out.
local function listed(self)
    local list = {}
    for t in pairs(self.tasks) do
        if not t.hidden then list[#list + 1] = t end
    end
    table.sort(list, function(a, b)
        return (tonumber(a:get_name()) or 0) < (tonumber(b:get_name()) or 0)
    end)
    return list
end

-- Ends every task of a loop in which nothing can happen any more.
local function report_deadlock(self)
    local lines = {}
    for _, t in ipairs(listed(self)) do lines[#lines + 1] = "\t" .. describe(t) end
    self.broken = { "deadlock: all tasks wait for one another\n" .. table.concat(lines, "\n") }
    for t in pairs(self.tasks) do t:cancel("deadlock") end
end

-- Makes the first task, whose scope is the loop's outermost.
local function begin(self, name, f, ...)
    local scope = part "scope"
    scope.check_function(f, name, 1)
    local first = task.start(self, nil, nil, nil, scope.run, f, ...)
    first.hidden = true
    return first
end

-- Raises what nobody took.
local function conclude(self, first)
    local broken = self.broken
    if broken then
        self.broken = nil
        error(broken[1], 0)
    end
    if not first or self.inherited then return end
    local errors = self.errors or {}
    self.errors = nil
    if first.state == "failed" then error(failure.together(first, errors), 0) end
    -- What other tasks of the program have failed with, and nobody took.
    if errors[1] then error(failure.together(table.remove(errors, 1), errors), 0) end
    if first.state == "cancelled" then error("the first task was cancelled", 0) end
    return first:outcome()
end

-- Ends what is there while there are tasks, and what those have left that were given up.
local function leave(self)
    if not self.inherited then
        for t in next, self.tasks do
            local client = t.client or t.connection and t.connection.client
            if client then client:drop_descriptor() end
            self.tasks[t] = nil
        end
        part("scope").drop_all(self)
    end
    local closers = self.at_end
    while closers and closers[1] do table.remove(closers)() end
end

function Loop:run(f, ...)
    if task.current() then raise("co.run within a task: use co.scope or co.spawn") end
    self.asleep = false
    local first = begin(self, "run", f, ...)
    while self.count > 0 do
        if not guarded_turn(self, true) then
            if self.stuck then -- tasks that can't even be cancelled
                self.count = 0
                break
            end
            self.stuck = self.broken ~= nil
            if not self.broken then report_deadlock(self) end
        end
    end
    self.stuck = nil
    leave(self)
    return conclude(self, first)
end

-- Starts a task from outside of all tasks.
function Loop:spawn(f, ...)
    local first = begin(self, "spawn", f, ...)
    first.hidden = nil
    first.on_end = function(t)
        if t.state == "failed" and not t.joined then
            self.errors = self.errors or {}
            table.insert(self.errors, t)
        end
    end
    if self.on_spawn then self.on_spawn() end -- another's loop steps this one
    if self.asleep then self:rouse() end
    return first
end

-- Wakes who waits for the ring's descriptor, since a task is ready: something completes.
function Loop:rouse()
    self.asleep = false
    if luring.nop(self.ring) then luring.submit(self.ring) end
end

-- One turn that doesn't wait: nil when no task is left, 0 when some are ready, else the seconds to
-- the next deadline.
function Loop:step()
    if task.current() then raise("step within a task") end
    self.asleep = false
    if self.count > 0 then
        guarded_turn(self, false)
        if self.time and self.first > self.last and self.deadlines[1] and in_flight(self) == 0 then
            self.time = self.deadlines[1].at
        end
        if self.count == 0 then leave(self) end
    end
    local broken = self.broken
    if broken then
        self.broken = nil
        error(broken[1], 0)
    end
    if self.errors and self.errors[1] then error(table.remove(self.errors, 1).err, 0) end
    if self.count == 0 then
        self.asleep = true -- who waits for its descriptor all the same is woken by the next task
        return nil
    end
    local seconds = self:timeout()
    self.asleep = seconds > 0
    return seconds
end

-- What cqueues.poll and its like ask an object for.
function Loop:timeout()
    if self.first <= self.last or #self.held > 0 then return 0 end
    if luring.cq_ready(self.ring) > 0 then return 0 end
    local entry = self.deadlines[1]
    if self.time and entry then return 0 end
    local at = entry and entry.at or huge
    for _, again in pairs(self.cancels) do at = math.min(at, again) end
    if at == huge then return huge end
    return math.max(at - self:now(), 0)
end

function Loop:pollfd()
    return luring.ring_fd(self.ring)
end

function Loop.events()
    return "r"
end

-- ---- what is public ----

-- The loops of co.run. One that is over has been left, or there was no memory for that: Lua needs some to call
-- a function. It is left as soon as there is, which the next co.run tells.
local loops = {}

local function leave_all()
    for self in next, loops do
        if self.over then
            if self.open then luring.queue_exit(self.ring) end
            self.open = false
            leave(self)
            loops[self] = nil
        end
    end
end

local function run(self, f, ...)
    loops[self] = true
    local function keep(...) self.results = { n = select("#", ...), ... } end
    keep(self:run(f, ...))
end

function loop.public.run(f, ...)
    if task.current() then raise("co.run within a task: use co.scope or co.spawn") end
    leave_all()
    local self = loop.public.loop()
    self.over, self.open = false, true
    local ok, err = pcall(run, self, f, ...)
    self.over, task.now.task = true, false -- takes no memory, and no call
    leave_all()
    if not ok then error(err, 0) end
    return unpack(self.results, 1, self.results.n)
end

function loop.public.now()
    local t = task.current()
    if t then return t.loop:now() end
    return luring.now()
end

local function entry_line(entry)
    local line = entry.name .. ": " .. entry.status
    if entry.waits then line = line .. ", " .. entry.waits end
    if entry.where then line = line .. ", at " .. entry.where end
    return line
end
local Entry = { __tostring = entry_line }

-- All tasks of the running one's loop.
function loop.public.tasks()
    local list = {}
    for _, t in ipairs(listed(task.me().loop)) do
        local own = t.scope and t.scope.body == t and t.scope or t -- a connection's scope knows
        list[#list + 1] = setmetatable({
            name = t:get_name(), status = t:status(), waits = t:waits(), since = own.since,
            parent = t.parent and t.parent:get_name(), where = t.thread and place_of(t.thread),
        }, Entry)
    end
    return list
end

-- ---- sleeping ----

local function wake_up(t)
    task.wake(t)
end

local function leave_sleep(t)
    t.loop.deadlines:remove(t)
    task.give_up(t)
end

task.Task.due = wake_up

local function stay_ready() end

function loop.public.sleep(seconds)
    local t = task.me()
    if type(seconds) ~= "number" or seconds ~= seconds then raise("bad argument #1 to 'sleep' (number expected)") end
    task.about_to_park(t)
    if seconds <= 0 then
        t.leave = stay_ready
        task.wake(t)
        task.park_ready(t)
        return true
    end
    if seconds < huge then t.loop.deadlines:add(t, t.loop:now() + seconds) end
    task.park(t, leave_sleep, "sleep")
    return true
end

return loop
