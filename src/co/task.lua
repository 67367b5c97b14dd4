-- Tasks: coroutines that wait for actions, and for one another.
--
-- A task that waits yields the action; what has resumed it queues that. So a wait that can't be, as
-- within a pcall of Lua 5.1, leaves nothing behind. A completion resumes its task at once, out of
-- do_cqes; what tasks do to one another goes through the loop's list of those that are ready.

local luring = require "luring"
local part = ...
local failure = part "failure"
local place = part "place"
local raise = place.raise

local create, resume, yield, running = coroutine.create, coroutine.resume, coroutine.yield, coroutine.running
local cqe_seen = luring.cqe_seen
local ECANCELED, EINTR = -luring.ECANCELED, -luring.EINTR
local close = coroutine.close -- since Lua 5.4
local unpack = table.unpack or unpack -- luacheck: ignore 143

local task = { public = {} }

local Task = {}
Task.__index = Task
task.Task = Task

-- What a task yields that is no action: it has ended, waits to be woken, is given up, or asks
-- whether it can.
local DONE, PARK, DROP, PROBE = {}, {}, {}, {}
-- What a coroutine within a task yields when the task is to wait.
local WAIT = {}
task.WAIT = WAIT
-- What a task is resumed with that is to raise the second value.
local RAISE = {}

-- How often a task may swallow its cancellation.
local PATIENCE = 100

-- The task that runs. It is read at each wait, which a function would make dearer.
local now = { task = false, ending = false }
task.now = now

-- Whether a task can wait within Lua's own pcall: not on PUC Lua 5.1, nor in the iterator of a for.
local probe = create(function() return pcall(yield) end)
resume(probe)
task.waits_in_pcall = coroutine.status(probe) == "suspended"

local NO_WAIT = task.waits_in_pcall and " (no task can wait within table.sort, string.gsub or another function of C)"
    or " (no task can wait there: in place of pcall take co.pcall, of an iterator a while loop)"

local queueing -- the task whose action is being queued
local numbers = 0

-- Whether a coroutine may yield; Lua 5.1 and 5.2 can't be asked, so they try.
local may_yield = coroutine.isyieldable

-- The running task, or an error.
local function me()
    local t = now.task
    if not t then raise("only a task can wait: run this by co.run") end
    return t
end
task.me = me

function task.current()
    return now.task or nil
end

-- ---- waiting: what runs in the task ----

-- Raises the task's cancellation, which it gets at every wait, until it has swallowed too many.
local function doom(t)
    t.swallowed = (t.swallowed or 0) + 1
    if t.swallowed > PATIENCE then
        if running() ~= t.thread then yield(WAIT, DROP) end
        yield(DROP)
    end
    error(t.doomed, 0)
end

-- What a wait gives.
local function ended(t, res, value, flags)
    if res == RAISE then
        if value == t.doomed then doom(t) end
        error(value, 0)
    end
    if t.doomed and (res == ECANCELED or res == EINTR) then doom(t) end
    return res, value, flags
end

-- A wait in a coroutine that is not the task's own.
local function elsewhere(t, ...)
    if t.inner and t.inner == running() then return ended(t, yield(WAIT, ...)) end
    error("a coroutine of the program's own can't wait: make it by co.wrap", 0)
end

-- Queues an action, `op` with its arguments and with t.done as callback, and waits for its
-- completion: res, value, flags.
function task.wait(t, ...)
    if running() ~= t.thread then return elsewhere(t, ...) end
    if t.doomed then doom(t) end
    return ended(t, yield(...))
end

local function unless_raised(res, value, flags)
    if res == RAISE then error(value, 0) end
    return res, value, flags
end

-- As wait, but a cancellation is -ECANCELED and no error: for what has to clean up first.
local function wait_bare(t, ...)
    local thread = running()
    if thread ~= t.thread and (not t.inner or thread ~= t.inner) then return elsewhere(t) end
    if t.doomed then return ECANCELED end
    if thread ~= t.thread then return unless_raised(yield(WAIT, ...)) end
    local res, value, flags = yield(...)
    if res == RAISE then error(value, 0) end
    return res, value, flags
end

task.wait_bare = wait_bare

-- wait_bare for an action of three arguments. Where a task can be asked whether it can wait, it queues
-- the action itself, which takes less.
function task.wait_io(t, op, fd, x, flags)
    local done = t.done or t:done_of()
    if not may_yield or running() ~= t.thread or t.doomed or not may_yield() then
        return wait_bare(t, op, fd, x, flags, done)
    end
    local key = op(t.ring, fd, x, flags, done)
    if not key then return wait_bare(t, op, fd, x, flags, done) end
    t.key, t.op, t.fd = key, op, fd
    return yield()
end

-- Raises if the task has been cancelled.
function task.check(t)
    if t.doomed then doom(t) end
end

local function ask_to_wait(t)
    local thread = running()
    if thread ~= t.thread and (not t.inner or thread ~= t.inner) then elsewhere(t) end
    if may_yield then
        if not may_yield() then error("attempt to yield across a C-call boundary", 0) end
    elseif thread == t.thread then
        yield(PROBE)
    else
        yield(WAIT, PROBE)
    end
end

-- To be called before a task lets itself be woken by others: raises if it can't wait.
function task.about_to_park(t)
    if t.doomed then doom(t) end
    ask_to_wait(t)
end

-- The same for what is not to be cancelled.
task.about_to_park_shielded = ask_to_wait

-- Waits until somebody wakes the task, and gives what he gave. `leave(t, why)` is called if the task
-- is cancelled meanwhile: it takes it from where it waits and calls give_up, or goes on waiting.
function task.park(t, leave, what)
    t.leave, t.what = leave, what
    if running() ~= t.thread then return ended(t, yield(WAIT, PARK)) end
    return ended(t, yield(PARK))
end

local function stay() end

-- As park, for what is not to be cancelled.
function task.park_shielded(t, what)
    t.leave, t.what = stay, what
    if running() ~= t.thread then return unless_raised(yield(WAIT, PARK)) end
    return unless_raised(yield(PARK))
end

-- ---- waking ----

-- Makes a parked task go on, in the loop's next turn.
local function wake(t, a, b, c)
    if not t.leave then return end -- it has been woken
    -- What takes memory comes first: without it the task waits as before.
    local loop = t.loop
    local last = loop.last + 1
    loop.ready[last] = t
    t.a, t.b, t.c = a, b, c
    t.leave = false
    loop.last = last
    if loop.asleep then loop:rouse() end
end
task.wake = wake

-- Makes a parked task raise its cancellation.
function task.give_up(t)
    wake(t, RAISE, t.doomed)
end

-- Makes a parked task raise an error.
function task.wake_with_error(t, err)
    wake(t, RAISE, err)
end

-- Lets the others run once: the task has been woken before it waits.
function task.park_ready(t)
    if running() ~= t.thread then return ended(t, yield(WAIT, PARK)) end
    return ended(t, yield(PARK))
end

-- Takes back what a task was woken with and has not got yet.
function task.unwake(t)
    t.a, t.b, t.c = RAISE, t.doomed, nil
end

-- ---- what runs outside of tasks ----

-- Tells who waits for a task's end. Until that is through the task is among the loop's: where an error
-- cuts it short it is done again, which tells nobody twice.
local function conclude(t)
    now.ending = t
    local left = t.waits_for
    if left then -- a scope that it could not wait for, for want of memory
        left:cancel_all()
        for other in next, left.tasks do task.insist(other) end -- one of them may have been told half way
        t.waits_for = nil
    end
    local joiners = t.joiners
    if joiners then
        for _, joiner in ipairs(joiners) do wake(joiner) end
        if joiners[1] then t.joined = true end
        t.joiners = nil
    end
    local on_end = t.on_end
    if on_end then on_end(t) end
    local loop = t.loop
    loop.tasks[t] = nil
    loop.count = loop.count - 1
    now.ending = false
end

-- Ends a task. `state` is "done", "failed" or "cancelled".
local function finish(t, state)
    t.state = state
    t.key, t.op, t.leave, t.undo = false, false, false, nil
    conclude(t)
end

-- Closes what a coroutine leaves open, as a <close> variable is: the error that it ends by, or theirs.
local function close_variables(thread, err)
    if not close then return err end
    local ok, other = close(thread)
    if not ok and other ~= nil then return other end
    return err
end
task.close_variables = close_variables

-- Notes where in the program a task has failed, and what it is a part of.
local function note_trace(t, err)
    local lines = t.died or {}
    if t.inner_err == err and t.inner_trace then
        local inner = {}
        for _, line in ipairs(t.inner_trace) do inner[#inner + 1] = line end
        for _, line in ipairs(lines) do inner[#inner + 1] = line end
        lines = inner
    end
    if t.spawned then lines[#lines + 1] = "\t" .. t.spawned .. ": task " .. t:get_name() .. " spawned" end
    t.trace = lines
end

-- What Lua says of a method that was called by a dot.
local function of_self(t, err)
    if type(err) ~= "string" or not err:find("^luring/co/%l+%.lua:%d+: attempt to index .*'self'") then return err end
    return place.located(place.bad_self(debug.getinfo(t.thread, 0, "n").name), t.thread)
end

local function fail(t, err)
    now.task = t -- whose failure it is, if there is no memory for this
    if t.thread then
        local said = err
        if err ~= t.doomed then
            t.died = failure.traceback(t.thread)
            said = of_self(t, err)
        end
        local last = close_variables(t.thread, err)
        err = last == err and said or last
    end
    if t.doomed and err == t.doomed then
        now.task = false
        return finish(t, "cancelled")
    end
    if type(err) == "string" and err:find("attempt to yield across", 1, true)
        and not err:find(NO_WAIT, 1, true) then
        err = err .. NO_WAIT
    end
    t.err = err
    if type(err) == "string" and err ~= t.told then note_trace(t, err) end
    now.task = false
    finish(t, "failed")
end

local after, go_on

-- What could not be queued: the queue is full, or the kernel has no room.
local function later(t, op, ...)
    if type(op) ~= "function" or not task.names[op] then
        return fail(t, "a task waits by luring.co's functions, and not by coroutine.yield")
    end
    local loop = t.loop
    queueing = t
    luring.submit(loop.ring)
    local key = op(loop.ring, ...)
    if key then
        t.key = key
    else
        t.held = { n = select("#", ...), ... }
        loop.held[#loop.held + 1] = t
    end
    queueing = nil
end

-- What a task has done until it yielded.
function after(t, ok, op, fd, ...)
    now.task = false
    if not ok then return fail(t, op) end
    if op == DONE then return finish(t, "done") end
    if op == nil and t.key then return end
    if op == PARK then return end
    if op == DROP then
        return fail(t, "task " .. t:get_name() .. " has swallowed its cancellation a hundred times")
    end
    if op == PROBE then return go_on(t) end
    if type(op) ~= "function" then return later(t, op) end
    t.op, t.fd = op, fd
    queueing = t
    local key = op(t.ring, fd, ...)
    queueing = nil
    if not key then return later(t, op, fd, ...) end
    t.key = key
    if t.doomed then t.loop:interrupt(t) end
end

-- Goes on with a task.
function go_on(t, ...)
    now.task = t
    return after(t, resume(t.thread, ...))
end

-- What an action has to say of its arguments, in the words of the function that the program has called:
-- that takes no ring, and no callback. What Lua's own functions say is the place that they were called from.
local function in_words(t, err)
    if type(err) ~= "string" or not err:find("^luring/co/task%.lua:%d+: bad argument #") then return err end
    local what = place.reworded(err, task.names[t.op], 2, 1):gsub("got function%)$", "got no value)")
    return place.located(what, t.inner or t.thread)
end

-- Raises in the task whose action could not be queued; false if there is none. One that was to be gone
-- on with, and could not for want of memory, has failed.
function task.refuse(err, resumed)
    local t = queueing
    now.task, queueing = false, nil
    if resumed and not resumed.state then fail(resumed, err) end
    if not t then return false end
    while t do
        t.held = nil
        now.task = t -- whose failure it is, if there is no memory for this
        local ok, other = pcall(go_on, t, RAISE, in_words(t, err))
        -- What it goes on with may be refused as well.
        t, err, queueing = queueing, other, nil
        if not ok and not t then error(err, 0) end
    end
    return true
end

-- The callback of all of a task's actions.
function Task.done_of(t)
    local ring, thread = t.ring, t.thread
    local function done(cqe, res, value, flags)
        cqe_seen(ring, cqe)
        if cqe ~= t.key then return end
        t.key = false
        now.task = t
        local ok, op, a, b, c, d, e, f, g, h = resume(thread, res, value, flags)
        if ok and op == nil and t.key then -- it has queued its next action itself
            now.task = false
            return
        end
        return after(t, ok, op, a, b, c, d, e, f, g, h)
    end
    t.done = done
    return done
end

-- Queues what was held back. False if there still is no room.
function task.queue_held(t)
    local held = t.held
    local op = t.op
    queueing = t
    local key = op(t.ring, unpack(held, 1, held.n))
    queueing = nil
    if not key then return false end
    t.held = nil
    t.key = key
    return true
end

-- Gives up what was held back.
function task.drop_held(t)
    t.held = nil
    return go_on(t, ECANCELED)
end

-- Keeps the results of a task's function.
local function keep(t, ...)
    local n = select("#", ...)
    if n == 1 then
        t.result = ...
    else
        t.results = { n = n, ... }
    end
    return DONE
end

local function body(t, f, ...)
    return keep(t, f(...))
end

-- Runs a task that is ready: it begins, or has been woken.
function task.run_ready(t)
    if t.thread then
        local a, b, c = t.a, t.b, t.c
        t.a, t.b, t.c, t.undo, t.what = nil, nil, nil, nil, nil
        return go_on(t, a, b, c)
    end
    if t.doomed and not t.cleans then
        now.task = false
        t.f, t.args = nil, nil
        return finish(t, "cancelled")
    end
    now.task = t
    t.thread = create(body)
    local f, args = t.f, t.args
    t.f, t.args = nil, nil
    if args then return after(t, resume(t.thread, t, f, unpack(args, 1, args.n))) end
    return after(t, resume(t.thread, t, f))
end

-- A new task of a loop, which starts in its next turn once it is told to begin. `on_end(t)` is called
-- when it has ended.
function task.make(loop, scope, parent, on_end, f, ...)
    -- What each wait looks at stands in the object itself: a look at its class costs more.
    local t = {
        loop = loop, ring = loop.ring, scope = scope, parent = parent, on_end = on_end, f = f,
        doomed = false, key = false, thread = false, op = false, fd = false, done = false, leave = false,
    }
    setmetatable(t, Task)
    local n = select("#", ...)
    if n > 0 then t.args = { n = n, ... } end
    loop.ready[loop.last + 1] = t
    loop.tasks[t] = true
    return t
end

-- Lets the task that was made last begin. All that takes memory has been done: nothing begins that is
-- not counted everywhere.
function task.begin(t)
    local loop = t.loop
    loop.count = loop.count + 1
    loop.last = loop.last + 1
    if loop.count == loop.many then loop:share_buffers() end
    return t
end

-- Both at once.
function task.start(...)
    return task.begin(task.make(...))
end

-- ---- what programs do with tasks ----

function Task:get_name()
    local name = rawget(self, "name")
    if not name then
        numbers = numbers + 1
        name = tostring(numbers)
        self.name = name
    end
    return type(name) == "string" and name or tostring(name)
end

-- Asks a task to end: what it waits for is cancelled, and every wait raises from now on.
function Task:cancel(why)
    if self.state then
        -- A connection's function has ended, and what it has left behind has not.
        if self.cleaner then
            self.scope:cancel_all(why)
            self.cleaner:cancel(why)
        end
        return
    end
    if self.doomed then return end
    self.doomed = failure.cancellation(self:get_name(), why)
    if self ~= now.task then self:interrupt(why) end
end

-- Does again what an error may have cut short: ends a task, or tells it to.
function task.insist(t, why)
    if t.state then
        conclude(t)
    elseif t.doomed then
        t:interrupt(t.doomed.why)
    else
        t:cancel(why)
    end
end

-- Ends what a task that was cancelled waits for.
function Task:interrupt(why)
    if self.key or self.held then
        self.loop:interrupt(self)
    elseif self.leave then
        self.leave(self, why)
    elseif self.undo then
        local undo = self.undo
        self.undo = nil
        undo(self)
    end
end

-- What it is doing: "new", "running", "ready", "waiting", "done", "failed" or "cancelled".
function Task:status()
    if self.state then return self.state end
    if self == now.task then return "running" end
    if not self.thread then return "new" end
    if self.key or self.leave or self.held then return "waiting" end
    return "ready"
end

function Task:traceback()
    if self.died then return table.concat(self.died, "\n") end
    if not self.thread then return "" end
    return table.concat(failure.traceback(self.thread), "\n")
end

-- What it waits for: "recv fd 7", "sleep", "channel".
function Task:waits()
    if self.key or self.held then
        local name = task.names[self.op] or "?"
        if type(self.fd) == "number" then return name .. " fd " .. self.fd end
        return name
    end
    if self.leave then return self.what or "to be woken" end
    return nil
end

function Task:outcome()
    local results = self.results
    if results then return unpack(results, 1, results.n) end
    return self.result
end

local function leave_join(t)
    local joiners = t.joining.joiners or {}
    for number, joiner in ipairs(joiners) do
        if joiner == t then
            table.remove(joiners, number)
            break
        end
    end
    task.give_up(t)
end

-- A task as the program knows it: not one that stands for a protected call of it.
local function known(t)
    while t.is_caller do t = t.parent end
    return t
end

-- Waits until it has ended: its results, or its error.
function Task:join()
    local t = me()
    if self == known(t) then raise("a task can't join itself") end
    if not self.state then
        task.about_to_park(t)
        self.joiners = self.joiners or {}
        table.insert(self.joiners, t)
        t.joining = self
        task.park(t, leave_join, "join")
        t.joining = nil
    end
    self.joined = true
    return task.results_of(self, t)
end

-- The results of a task that has ended, or its error raised in `t`.
function task.results_of(self, t)
    if self.state == "cancelled" then error("task " .. self:get_name() .. " was cancelled", 0) end
    if self.state == "failed" then
        if type(self.err) == "string" then
            t.inner_err, t.inner_trace = self.err, self.trace
            if not self.trace then t.told = self.err end
        end
        error(self.err, 0)
    end
    return self:outcome()
end

function Task:__tostring()
    return "task " .. self:get_name()
end

function task.public.self()
    return known(me())
end

return task
