-- Other programs.

local luring = require "luring"
local part = ...
local failure = part "failure"
local group = part "group"
local options = part "options"
local scope = part "scope"
local signal = part "signal"
local stream = part "stream"
local task = part "task"
local raise, reword = part "place".raise, part "place".reword

local process = { public = {} }

local Process = {}
Process.__index = Process

local GRACE = 5 -- seconds between TERM and KILL at the owner's end

local SIDES = { stdin = 1, stdout = 2, stderr = 2 } -- which end of a pipe is the program's
local OPTIONS = { stdin = true, stdout = true, stderr = true, cwd = true, env = true, group = true }

-- Closes the program's own ends of its pipes.
local function close_theirs(self)
    for name, fd in next, self.theirs do
        if fd then luring.close_fd(fd) end
        self.theirs[name] = false
    end
end

-- Takes back what was made for a program that does not run.
local function undo(self)
    close_theirs(self)
    for name in pairs(SIDES) do
        local s = self[name]
        if s then
            s:close()
            scope.disown(s)
        end
    end
    scope.disown(self)
end

-- Raises what posix_spawn has, in the words of the function that the program has called.
local function refuse(why, name)
    if name == "process" and type(why) == "string" then
        why = why:gsub("('std%l+' must be a descriptor)", '%1 or "pipe"')
    end
    reword(why, name, 1, 1)
end

-- Starts a program for the function of that name.
local function start(program, caller)
    local spec = {}
    for key, value in pairs(program) do
        if type(key) ~= "number" and not OPTIONS[key] then raise("unknown option: " .. tostring(key)) end
        spec[key] = value
    end
    spec.group = program.group and 0 or nil
    -- What takes memory comes first: nothing is opened or started that is not closed or ended.
    local self = scope.own(setmetatable({
        pid = false, pidfd = -1, group = program.group, polls = 0,
        theirs = { stdin = false, stdout = false, stderr = false },
    }, Process))
    for name in pairs(SIDES) do
        if spec[name] == "pipe" then self[name] = scope.own(stream.of_pipe(false)) end
    end
    for name, side in pairs(SIDES) do
        if self[name] then
            local from, to = luring.pipe2(luring.O_CLOEXEC)
            if from < 0 then
                undo(self)
                return failure.refused(from)
            end
            self.theirs[name], self[name].fd = side == 1 and from or to, side == 1 and to or from
            spec[name] = self.theirs[name]
        end
    end
    local ok, pid, pidfd = pcall(luring.posix_spawn, spec)
    if not ok or pid < 0 then
        undo(self)
        if not ok then refuse(pid, caller) end
        return failure.refused(pid, tostring(program[1]))
    end
    self.pid, self.pidfd = pid, pidfd
    close_theirs(self)
    return self
end

-- Starts a program: co.process{"ls", "-l", stdout = "pipe"}.
function process.public.process(program)
    if type(program) ~= "table" then raise("bad argument #1 to 'process' (table expected)") end
    task.check(task.me())
    local p, message, errno = start(program, "process")
    return p, message, errno
end

-- Takes a program's end, if it has come.
local function reap(self)
    local info = luring.waitid_now(luring.P_PID, self.pid, luring.WEXITED)
    if type(info) == "number" then
        if info == -luring.EAGAIN then return false end
        self.ended = { nil, "exit", 0, failure.refused(info) }
    elseif info.code == luring.CLD_EXITED then
        self.ended = { info.status == 0 or nil, "exit", info.status }
    else
        self.ended = { nil, "signal", info.status }
    end
    if self.pidfd >= 0 then luring.close_fd(self.pidfd) end
    self.pidfd = nil
    -- The group's number is nobody else's while it has members: whether there are any must be asked right
    -- now, since the number is free otherwise.
    local own = type(info) ~= "number" -- else it was somebody else who took the end, and who knows when
    self.left = self.group and own and luring.killpg(self.pid, 0) == 0
    if not self.left then scope.disown(self) end
    return true
end

-- Sends a signal to what a program that has ended has left of its group.
local function kill_rest(self, number)
    local res = self.left and luring.killpg(self.pid, number) or -luring.ESRCH
    if res == -luring.ESRCH and self.left then
        self.left = false
        scope.disown(self)
    end
    return res
end

-- Whether any of a group still runs. Those that have ended are members until somebody has taken their end,
-- and that may be never, where a container's first process takes none.
local function runs(pgid)
    local names = luring.readdir("/proc")
    if type(names) ~= "table" then return true end
    for name in pairs(names) do
        local file = name:find("^%d+$") and io.open("/proc/" .. name .. "/stat")
        if file then
            local state, number = (file:read("*a") or ""):match("^.*%) (%a) %-?%d+ (%d+)")
            file:close()
            if tonumber(number) == pgid and state ~= "Z" and state ~= "X" then return true end
        end
    end
    return false
end

-- Ends what it has left of its group: TERM, unless it has got that, and KILL for what is there at that time.
local function close_rest(self, told, till)
    local res = kill_rest(self, told and 0 or luring.SIGTERM)
    while res == 0 and luring.now() < till and runs(self.pid) do
        part("loop").public.sleep(0.01)
        res = kill_rest(self, 0)
    end
    if res == 0 then kill_rest(self, luring.SIGKILL) end
    self.left = false
end

-- Closes the descriptor of a program that is left running, unless somebody waits on it: his action may
-- not have been submitted yet.
local function let_go(self)
    if not self.detached or self.polls > 0 or not self.pidfd or self.pidfd < 0 then return end
    luring.close_fd(self.pidfd)
    self.pidfd = -1
end

-- Waits until its descriptor says that it has ended.
local function poll(self, t)
    self.polls = self.polls + 1
    local res = task.wait_bare(t, luring.poll_add, self.pidfd, luring.POLLIN, t.done or t:done_of())
    self.polls = self.polls - 1
    let_go(self)
    return res
end

-- Waits for its end: true or nil, "exit" or "signal", and the number.
function Process:wait()
    while not self.ended and not reap(self) do
        local t = task.me()
        if self.pidfd >= 0 then
            local res = poll(self, t)
            if res < 0 then
                task.check(t)
                return failure.refused(res)
            end
        else
            part("loop").public.sleep(0.01)
        end
    end
    return self.ended[1], self.ended[2], self.ended[3]
end

-- Sends a signal to the program, or to its group if it has one of its own.
function Process:kill(name)
    local number = signal.number(name or "TERM", "kill", 1)
    if self.ended then
        local res = kill_rest(self, number)
        if res < 0 then return failure.refused(res) end
        return true
    end
    local res = self.group and luring.killpg(self.pid, number) or -luring.ESRCH
    -- Rather by the descriptor: the number may be another's, if somebody else has taken the end.
    if res < 0 then
        res = self.pidfd >= 0 and luring.pidfd_send_signal(self.pidfd, number) or -luring.ENOSYS
        if res == -luring.ENOSYS then res = luring.kill(self.pid, number) end
    end
    if res < 0 then return failure.refused(res) end
    return true
end

-- Leaves it running at its owner's end. It keeps no descriptor, which nobody would close: who still waits
-- for it asks from time to time.
function Process:detach()
    scope.disown(self)
    self.detached = true
    let_go(self)
    return self
end

local function wait_for(self)
    return { self:wait() }
end

-- Ends the program, and what it leaves of its group: its pipes are closed, then TERM, a grace, KILL.
function Process:close()
    if not self.pid then -- there was no memory to start it
        undo(self)
        return true
    end
    close_theirs(self)
    for name in pairs(SIDES) do
        if self[name] then self[name]:close() end
    end
    local till = luring.now() + GRACE
    local told = not self.ended and not reap(self)
    if told then
        self:kill("TERM")
        if not group.public.timeout(GRACE, wait_for, self) then
            self:kill("KILL")
            self:wait()
        end
    end
    close_rest(self, told, till)
    scope.disown(self)
    return true
end

Process.__close = scope.close_variable

-- What goes where the program goes: its pipes.
function Process:owned_with()
    local pipes = {}
    for name in pairs(SIDES) do pipes[#pipes + 1] = self[name] end
    return pipes
end

-- Ends a program for which there is no memory to wait.
function Process:drop_descriptor()
    close_theirs(self)
    if not self.pid or self.ended or not self.pidfd then return end
    if luring.waitid_now(luring.P_PID, self.pid, luring.WEXITED + luring.WNOWAIT) == -luring.EAGAIN then
        self:kill(luring.SIGKILL)
    end
    if self.pidfd >= 0 then luring.close_fd(self.pidfd) end
    self.pidfd = -1
end

-- At its owner's end it is ended in any case: where the loop is interrupted meanwhile, without more grace.
function Process:close_owned()
    local closing = group.call_shielded(self.close, self)
    while closing.state == "cancelled" do
        self:kill("KILL")
        closing = group.call_shielded(self.wait, self)
    end
    if self.left then close_rest(self, true, 0) end
    task.results_of(closing, task.me())
end

local function collect(from, max, into)
    while true do
        local data, message, errno = from:read()
        if not data then
            if message then return nil, message, errno end
            return true
        end
        into[#into + 1] = data
        into.size = (into.size or 0) + #data
        if max and into.size > max then return nil, "too much output", luring.EMSGSIZE end
    end
end

-- Writes all that a program is to read. One that reads less has ended, or will.
local function feed(to, input)
    to:write(input)
    to:close()
    return true
end

local function check_input(spec)
    if spec.stdin == "pipe" then
        raise("bad option 'stdin' (a descriptor expected: what is to be read is 'input')")
    elseif spec.input ~= nil and type(spec.input) ~= "string" then
        raise("bad option 'input' (string expected)")
    elseif spec.input and spec.stdin then
        raise("bad option 'input' (there is a 'stdin' too)")
    end
end

-- Runs a program to its end: {ok=, status=, stdout=, stderr=}. With what there was by then: nil,
-- message, errno and the table.
function process.public.capture(program)
    if type(program) ~= "table" then raise("bad argument #1 to 'capture' (table expected)") end
    local spec = {}
    for key, value in pairs(program) do spec[key] = value end
    local seconds, max = spec.timeout, spec.max
    options.check_number(seconds, "timeout")
    options.check_number(max, "max")
    check_input(spec)
    local input = spec.input
    spec.timeout, spec.max, spec.input = nil, nil, nil
    if input then spec.stdin = "pipe" end
    spec.stdout, spec.stderr = spec.stdout or "pipe", spec.stderr or "pipe"
    local out, err = {}, {}
    task.about_to_park(task.me()) -- what can't be waited for is not started
    local p, why, number = start(spec, "capture")
    if not p then return nil, why, number, { ok = false, stdout = "", stderr = "" } end
    local result
    local function execute()
        local work = { function() p:wait() return true end }
        if input then work[#work + 1] = function() return feed(p.stdin, input) end end
        if p.stdout then work[#work + 1] = function() return collect(p.stdout, max, out) end end
        if p.stderr then work[#work + 1] = function() return collect(p.stderr, max, err) end end
        local done
        done, why, number = group.public.all(work)
        if not done then return nil, why, number end
        local ok, kind, n = p:wait()
        result = { ok = ok or false, kind = kind, status = n }
        return true
    end
    local child = group.call(function()
        if seconds then return group.public.timeout(seconds, execute) end
        return execute()
    end)
    -- Whatever has come, it does not go on.
    group.call_shielded(p.close, p)
    local done, message, errno = group.results(task.me(), child)
    result = result or { ok = false }
    result.stdout, result.stderr = table.concat(out), table.concat(err)
    if not done then return nil, message, errno, result end
    return result
end

return process
