local luring = require "luring"
local drive = require "drive"
local child = require "child"
local host = require "host"

-- Valgrind has none; nor does a child there share memory with its parent, which so doesn't
-- learn what failed before the program ran.
local has_pidfds = luring.pidfd_open(1) ~= -luring.ENOSYS

-- Starts a program, and gives what it wrote and how it ended.
local function run(program, name)
    local ring = luring.queue_init(4, 0)
    local from, to = luring.pipe2()
    program[name or "stdout"] = to
    local pid, pidfd = luring.posix_spawn(program)
    luring.close_fd(to)
    assert.is_true(pid > 0, luring.errname(-pid))
    local output = {}
    repeat output[#output + 1] = select(2, drive.one(ring, "read", from, 4096, -1)) until output[#output] == ""
    luring.close_fd(from)
    local ended
    repeat ended = luring.waitid_now(luring.P_PID, pid) until ended ~= -luring.EAGAIN
    luring.close_fd(pidfd)
    luring.queue_exit(ring)
    assert.equal(pid, ended.pid)
    return table.concat(output), ended
end

local function sh(command, program)
    program = program or {}
    program[1], program[2], program[3] = "sh", "-c", command
    return run(program)
end

local function complaint(program)
    local ok, message = pcall(function()
        local pid = luring.posix_spawn(program)
        return pid
    end)
    assert.is_false(ok)
    return message:match("bad argument #1 to 'posix_spawn' %((.*)%)$") or message
end

describe("posix_spawn", function()
    it("runs a program with its arguments, whatever is in them", function()
        local words = { "printf", "%s|", "a b", "", "'", "$HOME", "\n", ("x"):rep(10000), 7 }
        local output, ended = run { (unpack or table.unpack)(words) }
        assert.equal(table.concat(words, "|", 3) .. "|", output)
        assert.equal(luring.CLD_EXITED, ended.code)
        assert.equal(0, ended.status)
    end)

    it("looks for it in PATH, unless it has a slash", function()
        assert.equal("", (run { "true" }))
        assert.equal("", (run { "/bin/sh", "-c", "exit" }))
    end)

    it("is -errno alone when the program can't be started", function()
        if not has_pidfds then return pending("this is Valgrind") end
        assert.equal(-luring.ENOENT, luring.posix_spawn { "no-such-program-anywhere" })
        assert.equal(-luring.ENOENT, luring.posix_spawn { "./sh" })
        assert.equal(-luring.EACCES, luring.posix_spawn { "/etc/passwd" })
        assert.same({ -luring.ENOENT }, { luring.posix_spawn { "/nowhere" } })
        assert.equal(-luring.ENOENT, luring.posix_spawn { "pwd", cwd = "/nowhere" })
        assert.equal(-luring.ENOTDIR, luring.posix_spawn { "pwd", cwd = "/dev/null" })
        assert.equal(-luring.EPERM, luring.posix_spawn { "true", group = 1 })
        assert.equal(-luring.EBADF, luring.posix_spawn { "true", stdin = -1 })
        assert.equal(-luring.EBADF, luring.posix_spawn { "true", stdin = 1000000 })
    end)

    it("gives it the streams that were asked for", function()
        local from, to = luring.pipe2()
        local ring = luring.queue_init(4, 0)
        drive.one(ring, "write", to, "to stdin", -1)
        luring.queue_exit(ring)
        luring.close_fd(to)
        assert.equal("to stdin", (run { "cat", stdin = from }))
        luring.close_fd(from)
        assert.equal("to stderr\n", (run({ "sh", "-c", "echo to stderr >&2" }, "stderr")))
        local file = assert(io.open("/dev/zero"))
        assert.equal("\0\0\0", (run { "head", "-c", "3", stdin = file }))
        file:close()
    end)

    it("can exchange the streams, and give one twice", function()
        local result = child.run [[
            local luring = require "luring"
            local r1, w1 = luring.pipe2()
            local r2, w2 = luring.pipe2()
            -- The descriptors 1 and 2 become these pipes.
            local pid = luring.posix_spawn { "sh", "-c", "exec ls -l /proc/self/fd", stdout = 2, stderr = 1, stdin = 2 }
            while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do end
            luring.close_fd(r1) luring.close_fd(w1) luring.close_fd(r2) luring.close_fd(w2)
        ]]
        assert.equal(0, result.status, result.output)
        local ring = luring.queue_init(4, 0)
        local out, err = { luring.pipe2() }, { luring.pipe2() }
        local pid = luring.posix_spawn {
            "sh", "-c", "exec " .. child.command("-e", [[
                local luring = require "luring"
                local pid = luring.posix_spawn { "sh", "-c", "echo err >&2; echo out", stdout = 2, stderr = 1 }
                while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do end
            ]]), stdout = out[2], stderr = err[2],
        }
        drive.close(out[2], err[2])
        assert.equal("err\n", select(2, drive.one(ring, "read", out[1], 100, -1)))
        assert.equal("out\n", select(2, drive.one(ring, "read", err[1], 100, -1)))
        while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do child.shell("sleep 0.01") end
        drive.close(out[1], err[1])
        luring.queue_exit(ring)
    end)

    it("leaves it no descriptor that luring has made, and itself none", function()
        if not has_pidfds then return pending("there are no pidfds") end
        local pid, pidfd = luring.posix_spawn { "true" }
        local made = {
            luring.eventfd(), luring.timerfd_create(), luring.inotify_init(), luring.epoll_create1(),
            luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM), luring.open_file("/dev/null", luring.O_RDONLY),
            pidfd, luring.pidfd_open(pid),
            luring.udp_bind { family = luring.AF_INET, addr = "127.0.0.1", port = 0 },
            luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 },
        }
        made[#made + 1], made[#made + 2] = luring.socketpair()
        made[#made + 1], made[#made + 2] = luring.pipe2()
        made[#made + 1] = luring.tcp_connect(luring.getsockname(made[10]))
        assert.equal(15, #made)
        for _, fd in ipairs(made) do assert.is_true(fd > 2) end
        local check = "for fd in %s; do [ -e /proc/$$/fd/$fd ] && echo $fd; done; true"
        assert.equal("", (sh(check:format(table.concat(made, " ")))))
        assert.equal("2\n", (sh(check:format("2 " .. made[1]))))
        while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do child.shell("sleep 0.01") end
        drive.close((unpack or table.unpack)(made))

        local free = luring.open_file("/dev/null", luring.O_RDONLY)
        luring.close_fd(free)
        run { "true", stdin = 2, stderr = 0 }
        luring.posix_spawn { "/nowhere", stdin = 2, stderr = 0 }
        assert.equal(free, luring.open_file("/dev/null", luring.O_RDONLY))
        luring.close_fd(free)
    end)

    it("starts it in a folder", function()
        assert.equal("/\n", (run { "pwd", cwd = "/" }))
    end)

    it("gives it the environment, or leaves it its own", function()
        local lines = {}
        for line in (run { "/usr/bin/env", env = { A = "1", B = "x=y z", C = "", D = 5 } }):gmatch("[^\n]+") do
            lines[#lines + 1] = line
        end
        table.sort(lines)
        assert.equal("A=1 B=x=y z C= D=5", table.concat(lines, " "))
        assert.equal("", (run { "/usr/bin/env", env = {} }))
        assert.equal(os.getenv("PATH") .. "\n", (sh "echo $PATH"))
    end)

    it("puts it into a group", function()
        local own = child.contents("/proc/self/stat"):match("%) %a %d+ (%d+)")
        local command = "read -r _ _ _ _ group _ </proc/$$/stat; echo $$ $group"
        assert.equal(own, (sh(command)):match("%d+ (%d+)"))
        local pid, group = (sh(command, { group = 0 })):match("(%d+) (%d+)")
        assert.equal(pid, group)
    end)

    it("starts it with no signal blocked or ignored", function()
        local result = child.run [[
            local luring = require "luring"
            luring.signalfd { luring.SIGUSR1, luring.SIGCHLD }
            local pid = luring.posix_spawn { "grep", "Sig", "/proc/self/status" }
            while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do end
        ]]
        assert.equal("0000000000000000", result.output:match("SigBlk:%s*(%x+)"))
        result = child.run([[
            local luring = require "luring"
            local pid = luring.posix_spawn { "sh", "-c", "kill -PIPE $$; echo survived" }
            local ended repeat ended = luring.waitid_now(luring.P_PID, pid) until ended ~= -luring.EAGAIN
            io.write(ended.code == luring.CLD_KILLED and "killed by " or "", ended.status)
        ]], "sh -c 'trap \"\" PIPE; exec \"$@\"' -")
        assert.equal("killed by 13", result.output)
    end)

    it("takes Lua's own table of arguments, and begins with the first", function()
        assert.equal("a b\n", run { [-1] = "lua", [0] = "program.lua", "echo", "a", "b" })
    end)

    it("takes no program that it can't describe", function()
        assert.equal("no program is named", complaint {})
        assert.equal("no program is named", complaint { [2] = "x" })
        assert.equal("word 1 must be a string without zero bytes", complaint { true })
        assert.equal("word 2 must be a string without zero bytes", complaint { "true", {} })
        assert.equal("word 1 must be a string without zero bytes", complaint { "true\0" })
        assert.equal("field 'cwd' must be a path without zero bytes", complaint { "true", cwd = "/\0" })
        assert.equal("field 'cwd' must be a path without zero bytes", complaint { "true", cwd = {} })
        assert.equal("field 'env' must be a table", complaint { "true", env = "A=1" })
        local expected = "field 'env' must be a table from names to strings without zero bytes"
        local environments = { { A = {} }, { A = "\0" }, { ["A=B"] = "1" }, { [""] = "1" }, { "A=1" }, { ["\0"] = "" } }
        for _, env in ipairs(environments) do
            assert.equal(expected, complaint { "true", env = env })
        end
        for _, name in ipairs { "stdin", "stdout", "stderr" } do
            for _, wrong in ipairs { "x", 1.5, {}, true, 2 ^ 31, { fd = -1 } } do
                assert.equal(("field '%s' must be a descriptor"):format(name), complaint { "true", [name] = wrong })
            end
            assert.equal(("field '%s' must be a descriptor, and not a slot"):format(name),
                complaint { "true", [name] = luring.fixed(0) })
        end
        assert.equal("field 'group' must be an integer from 0 to 2147483647", complaint { "true", group = -1 })
        assert.equal("unknown field 'stdinn'", complaint { "true", stdinn = 0 })
        assert.equal("a field's name must be a string", complaint { "true", [true] = 0 })
        assert.equal("unknown field 'a\\x00b'", complaint { "true", ["a\0b"] = 0 })
    end)

    it("keeps its words while finalizers and metamethods run", function()
        local program = { "printf", "%s", ("w"):rep(100) }
        for i = 4, 300 do program[i] = i end
        program.env = setmetatable({}, {})
        for i = 1, 300 do program.env["NAME" .. i] = i end
        program.stdin = { fd = function() collectgarbage() return 0 end }
        local expected = table.concat(program, "", 3)
        local function pause(percent)
            if not pcall(collectgarbage, "setpause", percent) then collectgarbage("param", "pause", percent) end
        end
        pause(1)
        local output = run(program)
        pause(200)
        assert.equal(expected, output)
    end)

    it("has no second descriptor where there is none left", function()
        local from, to = luring.pipe2()
        local free = luring.open_file("/dev/null", "r")
        luring.close_fd(free)
        local limit = host.limit(free)
        local pid, pidfd = luring.posix_spawn { "true" }
        host.limit(limit)
        drive.close(from, to)
        if pid == -luring.EMFILE then return end -- musl's posix_spawn needs descriptors itself
        assert.is_true(pid > 0)
        assert.equal(has_pidfds and -luring.EMFILE or -luring.ENOSYS, pidfd)
        while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do child.shell("sleep 0.01") end
    end)
end)

describe("a process", function()
    it("runs until it ends, and its descriptor tells", function()
        if not has_pidfds then return pending("there are no pidfds") end
        local from, to = luring.pipe2()
        local pid, pidfd = luring.posix_spawn { "sh", "-c", "read -r _; exit 7", stdin = from }
        local again = luring.pidfd_open(pid)
        assert.equal("anon_inode:[pidfd]", luring.readlink("/proc/self/fd/" .. again))
        assert.equal(-luring.EAGAIN, luring.waitid_now(luring.P_PIDFD, pidfd))
        assert.equal(-luring.EAGAIN, luring.waitid_now(luring.P_PID, pid))
        drive.close(to, from)
        local ended
        -- WNOWAIT leaves it to be taken.
        for _, options in ipairs { luring.WEXITED + luring.WNOWAIT, luring.WEXITED } do
            repeat ended = luring.waitid_now(luring.P_PIDFD, { fd = again }, options) until ended ~= -luring.EAGAIN
            assert.same({
                pid = pid, uid = tonumber(child.shell("id -u").output), signo = luring.SIGCHLD,
                code = luring.CLD_EXITED, status = 7,
            }, ended)
        end
        assert.equal(-luring.ECHILD, luring.waitid_now(luring.P_PIDFD, pidfd))
        assert.equal(-luring.ESRCH, luring.pidfd_send_signal(pidfd, luring.SIGTERM))
        assert.equal(-luring.EINVAL, luring.waitid_now(99, 0))
        assert.error_matches(function() luring.waitid_now(3, luring.fixed(0)) end, "#2 .*a slot can't be used here")
        assert.equal(-luring.ECHILD, luring.waitid_now(luring.P_PID, 2 ^ 30))
        drive.close(pidfd, again)
    end)

    it("is sent a signal by its descriptor", function()
        if not has_pidfds then return pending("there are no pidfds") end
        local from, to = luring.pipe2()
        local pid, pidfd = luring.posix_spawn { "cat", stdin = from }
        assert.equal(0, luring.pidfd_send_signal(pidfd, 0))
        assert.equal(0, luring.pidfd_send_signal(pidfd, luring.SIGTERM))
        local ended
        repeat ended = luring.waitid_now(luring.P_PID, pid) until ended ~= -luring.EAGAIN
        assert.equal(pid, ended.pid)
        assert.equal(luring.CLD_KILLED, ended.code)
        assert.equal(luring.SIGTERM, ended.status)
        drive.close(from, to, pidfd)
        assert.equal(-luring.EBADF, luring.pidfd_send_signal(pidfd, luring.SIGTERM))
    end)

    it("is sent a signal by its number, or by its group's", function()
        local from, to = luring.pipe2()
        for send, group in pairs { [luring.kill] = false, [luring.killpg] = 0 } do
            local pid, pidfd = luring.posix_spawn { "cat", stdin = from, group = group or nil }
            assert.equal(0, send(pid, 0))
            assert.equal(-luring.EINVAL, send(pid, 1000))
            assert.equal(0, send(pid, luring.SIGTERM))
            local ended
            repeat ended = luring.waitid_now(luring.P_PID, pid) until ended ~= -luring.EAGAIN
            assert.equal(luring.SIGTERM, ended.status)
            assert.equal(-luring.ESRCH, send(pid, 0))
            if pidfd >= 0 then drive.close(pidfd) end
        end
        drive.close(from, to)
    end)

    it("is one process, and never all", function()
        -- As they would be from a posix_spawn that failed.
        for _, pid in ipairs { 0, -1, -luring.ENOENT } do
            assert.is_false(pcall(luring.kill, pid, 0))
            assert.is_false(pcall(luring.killpg, pid, 0))
        end
        assert.is_false(pcall(luring.killpg, 1, 0))
    end)

    it("that isn't there has no descriptor", function()
        if not has_pidfds then return pending("there are no pidfds") end
        assert.equal(-luring.EINVAL, luring.pidfd_open(0))
        assert.equal(-luring.ESRCH, luring.pidfd_open(2 ^ 22 + 1))
    end)
end)
