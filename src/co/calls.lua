-- Calls in which a task may wait, on Lua 5.1 too.

local part = ...
local failure = part "failure"
local group = part "group"
local scope = part "scope"
local task = part "task"
local raise = part "place".raise

local create, resume, running, yield = coroutine.create, coroutine.resume, coroutine.running, coroutine.yield
local cancelled = failure.public.cancelled

local calls = { public = {} }

local own_is_enough = task.waits_in_pcall

-- Lua's own, but for a cancellation, which goes on.
local function passed(ok, ...)
    if not ok and cancelled((...)) then error((...), 0) end
    return ok, ...
end

-- The same where a task of its own takes the place of a protected call.
local function called(handler, f, ...)
    local t = task.me()
    local child = group.call_as_caller(f, ...)
    if child.state == "done" then return true, child:outcome() end
    if child.state == "cancelled" then
        task.check(t)
        return false, "task " .. child:get_name() .. " was cancelled"
    end
    if not handler then return false, child.err end
    if handler == debug.traceback then return false, debug.traceback(child.thread, child.err) end
    return false, handler(child.err)
end

function calls.public.pcall(f, ...)
    if own_is_enough or not task.current() then return passed(pcall(f, ...)) end
    return called(nil, f, ...)
end

function calls.public.xpcall(f, handler, ...)
    if own_is_enough or not task.current() then
        local function handle(err)
            if cancelled(err) then return err end
            return handler(err)
        end
        local arguments, n = { ... }, select("#", ...)
        if n == 0 then return passed(xpcall(f, handle)) end
        -- PUC Lua 5.1's own passes none on.
        return passed(xpcall(function() return f(scope.unpack(arguments, 1, n)) end, handle))
    end
    return called(handler, f, ...)
end

-- As coroutine.wrap, for coroutines that wait.
function calls.public.wrap(f)
    scope.check_function(f, "wrap", 1)
    local inner = create(f)

    local within = false -- whether it runs, or waits
    local took

    local function forwarded(t, outer, ...)
        t.inner = inner
        return took(t, outer, resume(inner, ...))
    end

    -- What the coroutine gave: a value, an error, or a wait, which is the task's.
    function took(t, outer, ok, op, ...)
        t.inner = outer
        if op ~= task.WAIT then within = false end
        if not ok then error(task.close_variables(inner, op), 0) end
        if op ~= task.WAIT then return op, ... end
        if outer then return forwarded(t, outer, yield(task.WAIT, ...)) end
        return forwarded(t, outer, yield(...))
    end

    return function(...)
        -- What it waits for would be taken for done.
        if within then error("cannot resume a coroutine that runs or waits", 2) end
        local t = task.current()
        if not t then
            local function given(ok, ...)
                within = false
                if not ok then error(task.close_variables(inner, (...)), 0) end
                return ...
            end
            within = true
            return given(resume(inner, ...))
        end
        local outer = t.inner
        if running() ~= t.thread and running() ~= outer then
            raise("a coroutine of the program's own can't wait: make it by co.wrap")
        end
        t.inner, within = inner, true
        return took(t, outer, resume(inner, ...))
    end
end

return calls
