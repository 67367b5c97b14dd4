local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

-- A mistake is told where the program has made it.
local function assert_mistake(f, pattern)
    local ok, why = co.pcall(f)
    assert.is_false(ok)
    assert.truthy(why:find("^[^:]*co_file_spec.lua:%d+: " .. pattern), why)
end

local function with_file(f)
    local path = os.tmpname()
    local ok, err = pcall(co.run, f, path)
    os.remove(path)
    if not ok then error(err, 0) end
end

describe("a file", function()
    it("is written and read as io's are", function()
        with_file(function(path)
            local file = assert(co.open(path, "w"))
            assert.equal(8, file:write("one\ntwo\n"))
            assert.is_true(file:sync())
            assert.is_true(file:close())
            assert.is_true(file:close())
            file = assert(co.open(path, "a"))
            file:write("three")
            file:close()
            file = assert(co.open(path))
            assert.equal("one", file:line())
            assert.equal("two\n", file:line(100, "L"))
            assert.equal("th", file:read(2))
            assert.equal("ree", file:read())
            assert.same({}, { file:read() })
            assert.equal("wo", file:read(2, 5))
            assert.is_nil((file:read(5, 100)))
            assert.truthy(select(2, file:write("x")):find(path, 1, true))
        end)
    end)

    it("is written where it was read to", function()
        with_file(function(path)
            child.contents(path)
            assert.is_true(co.write_file(path, "one\ntwo\nthree\n"))
            local file = assert(co.open(path, "r+"))
            assert.equal("one", file:line())
            file:write("TWO")
            assert.equal(1, file:write("T", 8))
            file:close()
            assert.equal("one\nTWO\nThree\n", co.read_file(path))
        end)
    end)

    it("is read as it is, though it was changed ahead of there", function()
        with_file(function(path)
            co.write_file(path, "one\ntwo\nthree\nfour\n")
            local file = assert(co.open(path, "r+"))
            assert.equal("one", file:line())
            assert.equal(3, file:write("TWO", 4))
            assert.equal("TWO", file:line())
            assert.is_true(file:truncate(14))
            assert.equal("three", file:line())
            assert.same({}, { file:line() })
        end)
    end)

    it("is written while another task reads a line, which keeps what it has", function()
        with_file(function(path)
            for turns = 1, 4 do
                co.write_file(path, ("x"):rep(200000) .. "\n" .. ("y"):rep(200000))
                local file = assert(co.open(path, "r+"))
                local reader = co.spawn(function() return file:line(math.huge) end)
                for _ = 1, turns do co.sleep(0) end
                file:write("z") -- where that is nobody knows
                reader:join()
                assert.is_true(file:buffered() >= 0)
                assert.is_true(#file:read() > 0)
                file:close()
            end
        end)
    end)

    it("that is closed while another task reads a line gives none", function()
        with_file(function(path)
            co.write_file(path, ("x"):rep(100000) .. "\n")
            local file = assert(co.open(path))
            local line = co.spawn(function() return { file:line(math.huge) } end)
            repeat co.sleep(0) until file:buffered() > 0
            file:close()
            assert.same({ nil, path .. ": closed", luring.EBADF }, line:join())
            assert.equal(0, file:buffered())
        end)
    end)

    it("that has no position keeps what was read ahead when it is written", function()
        local one, other = luring.socketpair()
        co.run(function()
            local file, peer = co.file(one), co.stream(other)
            peer:write("a\nb\n")
            assert.equal("a", file:line())
            assert.equal(1, file:write("x"))
            assert.equal("b", file:line())
            assert.equal("x", peer:read())
        end)
    end)

    it("is read in order by one task at a time, and anywhere by any", function()
        local from, to = luring.pipe2(luring.O_CLOEXEC)
        local path = os.tmpname()
        co.run(function()
            local pipe, output = co.file(from), co.stream(to)
            local line = co.spawn(function() return pipe:line() end)
            output:write("ab")
            co.sleep(0.001)
            for method, n in pairs { read = 1, line = 9, read_all = 9, peek = 1, read_exactly = 1 } do
                local ok, err = co.pcall(pipe[method], pipe, n)
                assert.is_false(ok, method)
                assert.truthy(tostring(err):find("another task reads from this file", 1, true), err)
            end
            output:write("c\nd")
            assert.equal("abc", line:join())
            assert.equal("d", pipe:read())
            local cancelled = co.spawn(pipe.read, pipe)
            co.sleep(0.001)
            cancelled:cancel()
            co.pcall(cancelled.join, cancelled)
            output:close()
            assert.is_nil(pipe:read())

            co.write_file(path, "0123456789")
            local file = assert(co.open(path))
            local got = co.all {
                function() return file:read(2) end,
                function() return file:read(3, 4) end,
                function() return file:read(3, 7) end,
            }
            assert.same({ "01", "456", "789" }, got)
        end)
        os.remove(path)
    end)

    it("says what it is", function()
        with_file(function(path)
            co.write_file(path, "12345", { sync = true, atomic = true })
            local file = assert(co.open(path, "r+"))
            local stat = assert(file:stat())
            assert.same({ "file", 5 }, { stat.type, stat.size })
            file:truncate(2)
            assert.equal("12", file:read_all())
            assert.is_true(file:getfd() >= 0)
            assert.equal("directory", assert(co.open("/tmp")):stat().type)
        end)
    end)

    it("that can't be had is nil, a message that begins with the path, and errno", function()
        co.run(function()
            assert.same({ nil, "/nowhere/x: " .. luring.strerror(luring.ENOENT), luring.ENOENT },
                { co.open("/nowhere/x") })
            assert.is_nil((co.read_file("/nowhere/x")))
            assert.is_nil((co.write_file("/nowhere/x", "")))
            assert.is_nil((co.write_file("/nowhere/x", "", { atomic = true })))
            assert.is_false(pcall(co.open, "/tmp", "q"))
        end)
    end)

    it("is not touched by a call with wrong arguments", function()
        with_file(function(path)
            co.write_file(path, "precious")
            for _, wrong in ipairs { 42, false, {} } do
                assert_mistake(function() co.write_file(path, wrong) end,
                    "bad argument #2 to 'write_file' %(string expected%)")
            end
            assert_mistake(function() co.write_file(path) end, "bad argument #2 to 'write_file'")
            assert_mistake(function() co.write_file(path, "x", { synk = true }) end, "unknown option: synk")
            assert_mistake(function() co.write_file(path, "x", 5) end, "bad argument #3 to 'write_file'")
            assert_mistake(function() co.open(path, "w", { prem = 384 }) end, "unknown option: prem")
            assert.equal("precious", co.read_file(path))
        end)
    end)

    it("that can't be replaced is told by its own name, and why", function()
        co.run(function()
            local folder = os.tmpname()
            os.remove(folder)
            assert(co.io.mkdir(folder, 448))
            assert.same({ nil, folder .. ": " .. luring.strerror(luring.EISDIR), luring.EISDIR },
                { co.write_file(folder, "x", { atomic = true }) })
            local nowhere = folder .. "/no/file"
            assert.same({ nil, nowhere .. ": " .. luring.strerror(luring.ENOENT), luring.ENOENT },
                { co.write_file(nowhere, "x", { atomic = true }) })
            assert.same({ nil, "/dev/full: " .. luring.strerror(luring.ENOSPC), luring.ENOSPC },
                { co.write_file("/dev/full", "x") })
            assert(os.remove(folder))
        end)
    end)

    it("may be replaced by several tasks at the same instant", function()
        local path, now = os.tmpname(), luring.now
        luring.now = function() return 1 end
        local ok, err = pcall(co.run, function()
            for n = 1, 4 do
                co.spawn(function() assert(co.write_file(path, ("x"):rep(n), { atomic = true })) end)
            end
        end)
        luring.now = now
        assert.is_true(ok, err)
        assert.truthy(drive.contents(path):find("^x+$"))
        os.remove(path)
    end)

    it("is read at an offset, as much as there is or as is said", function()
        with_file(function(path)
            co.write_file(path, ("0123456789"):rep(10000))
            local file = assert(co.open(path))
            assert.equal(65536, #file:read(nil, 0))
            assert.equal("56789", file:read(nil, 99995))
            assert.equal("", file:read(0, 5))
            assert.same({}, { file:read(nil, 100000) })
            for _, most in ipairs { 2 ^ 32, 2 ^ 63 } do -- more than the kernel would read
                assert.equal(100000, #file:read(most, 0))
                assert.equal(100000, #file:read_exactly(100000))
                assert.is_nil(file:read(most))
                luring.lseek(file:getfd(), 0, luring.SEEK_SET)
            end
            for _, wrong in ipairs { "x", -1, 1.5 } do
                for _, at in ipairs { false, 0 } do
                    assert_mistake(function() file:read(wrong, at or nil) end,
                    "bad argument #1 to 'read' %(a number of bytes expected%)$")
                end
            end
            for _, wrong in ipairs { "x", 2 ^ 63 } do
                assert_mistake(function() file:read(1, wrong) end,
                    "bad argument #2 to 'read' %(an offset expected%)$")
            end
        end)
    end)

    it("names the function of the program in an argument error", function()
        with_file(function(path)
            local file = assert(co.open(path, "r+"))
            local one, other = luring.socketpair()
            local stream = co.stream(one)
            for _, case in ipairs {
                { "#1 to 'open'", function() co.open(5) end },
                { "#1 to 'open'", function() co.open("a\0b") end },
                { "#2 to 'open'", function() co.open(path, 5) end },
                { "#2 to 'open'", function() co.open(path, "q") end },
                { "#3 to 'open'", function() co.open(path, "r", 5) end },
                { "#3 to 'open'", function() co.open(path, "w", { perm = "x" }) end },
                { "#3 to 'open'", function() co.open(path, "r", { beneath = {} }) end },
                { "#1 to 'file'", function() co.file("x") end },
                { "#1 to 'read_file'", function() co.read_file(5) end },
                { "#1 to 'write_file'", function() co.write_file(5, "x") end },
                { "#1 to 'write'", function() file:write(5) end },
                { "#2 to 'write'", function() file:write("x", "y") end },
                { "#1 to 'truncate'", function() file:truncate("x") end },
                { "#1 to 'truncate'", function() file:truncate(2 ^ 63) end },
                { "#1 to 'sendfile'", function() stream:sendfile("x") end },
                { "#1 to 'sendfile'", function() stream:sendfile({}) end },
                { "#3 to 'sendfile'", function() stream:sendfile(file, 0, 1.5) end },
                { "#1 to 'file'", function() co.file(1.5) end },
                { "#1 to 'file'", function() co.file(2 ^ 31) end },
                { "#1 to 'file'", function() co.file(luring.fixed(3)) end },
                { "#2 to 'sendfile'", function() stream:sendfile(file, "x") end },
                { "#3 to 'sendfile'", function() stream:sendfile(file, 0, -1) end },
            } do
                assert_mistake(case[2], "bad argument " .. case[1] .. " %(")
            end
            assert_mistake(function() co.capture { "true", timeout = "x" } end, "bad option 'timeout' %(number")
            assert_mistake(function() co.capture { "true", max = {} } end, "bad option 'max' %(number")
            luring.close_fd(other)
        end)
    end)

    it("beneath a folder stays there", function()
        with_file(function(path)
            co.write_file(path, "here")
            local folder, name = path:match("^(.*)/([^/]*)$")
            assert.equal("here", assert(co.open(name, "r", { beneath = folder })):read_all())
            local file, _, errno = co.open("../etc/passwd", "r", { beneath = folder })
            assert.is_nil(file)
            assert.equal(luring.EXDEV, errno)
        end)
    end)

    it("beneath a folder leaves no descriptor when it is cancelled, or called wrongly", function()
        co.run(function()
            co.sleep(0)
            local before = drive.descriptors()
            for turns = 0, 5 do
                local t = co.spawn(function() co.open("x", "r", { beneath = "/" }) end)
                -- What completes with what the other waits for is there when that is cancelled.
                for _ = 1, turns do co.io.nop() end
                t:cancel()
                co.pcall(t.join, t)
            end
            co.scope(function()
                assert.is_false(co.pcall(co.open, "a\0b", "r", { beneath = "/" }))
                assert.is_false(co.pcall(co.open, "x", "w", { beneath = "/", perm = {} }))
            end)
            assert.equal(before, drive.open_descriptors(before))
        end)
    end)

    it("is closed at its owner's end", function()
        with_file(function(path)
            local file
            co.scope(function() file = assert(co.open(path)) end)
            assert.equal(-1, file:getfd())
            assert.is_nil((file:read()))
        end)
    end)

    it("is sent to a stream, whole or a part of it", function()
        with_file(function(path)
            local text = ("0123456789"):rep(100000)
            co.write_file(path, text)
            local one, other = luring.socketpair()
            local a, b = co.stream(one), co.stream(other)
            co.spawn(function()
                local file = assert(co.open(path))
                assert.equal(5, a:sendfile(file, 3, 5))
                assert.equal(#text, a:sendfile(file))
                a:close()
            end)
            assert.equal("34567", b:read_exactly(5))
            assert.equal(text, b:read_all())
        end)
    end)
end)

describe("an action on a buffer of the program's", function()
    it("gives how much it has put there", function()
        with_file(function(path)
            local one, other = luring.socketpair()
            local buffer = luring.buffer(16)
            co.write_file(path, "12345")
            local file = assert(co.open(path))
            assert.equal(5, co.io.read(file:getfd(), buffer, 0))
            assert.equal("12345", buffer:sub(1, 5))
            assert.equal(0, co.io.read(file:getfd(), buffer, 5))
            assert.equal("12345", co.io.read(file:getfd(), 16, 0))
            assert.equal(2, co.io.send(other, "ab", 0))
            assert.equal(2, co.io.recv(one, buffer, 0))
            drive.close(one, other)
        end)
    end)
end)

describe("an action that is waited for", function()
    it("takes no callback of the program's", function()
        co.run(function()
            local nothing = function() end
            for _, call in ipairs {
                function() co.io.nop(nothing) end,
                function() co.io.fsync(0, 0, nothing) end,
                function() co.await(luring.nop, nothing) end,
                function() co.io.cancel(1, 0, nothing) end,
                function() co.io.cancel(1, nothing) end,
                function() co.io.nop(1, 2, 3, 4, 5, 6, 7, 8) end,
            } do
                assert_mistake(function() assert(co.timeout(1, call)) end, "bad argument #%d to '%a+' ")
            end
        end)
    end)
end)

describe("a process", function()
    it("ends as os.execute says it", function()
        co.run(function()
            assert.same({ true, "exit", 0 }, { co.process { "true" }:wait() })
            local p = co.process { "sh", "-c", "exit 3" }
            for _ = 1, 2 do
                local ok, kind, n = p:wait()
                assert.same({ nil, "exit", 3 }, { ok, kind, n })
            end
            p = co.process { "sleep", "100" }
            p:kill("KILL")
            local ok, kind, n = p:wait()
            assert.same({ nil, "signal", luring.SIGKILL }, { ok, kind, n })
            assert.is_nil((p:kill()))
            -- Valgrind starts any program, and it ends at once.
            if not child.in_valgrind then assert.is_nil((co.process { "/nowhere/x" })) end
            assert.is_false(pcall(co.process, { "true", wrong = 1 }))
        end)
    end)

    it("is talked to through pipes", function()
        co.run(function()
            local p = assert(co.process { "cat", stdin = "pipe", stdout = "pipe" })
            p.stdin:write("one\n")
            assert.equal("one", p.stdout:line())
            p.stdin:write("two\n")
            p.stdin:close()
            assert.equal("two\n", p.stdout:read_all())
            assert.is_true((p:wait()))
        end)
    end)

    it("is sent signals, and ended, when no descriptor was left for it", function()
        co.run(function()
            local free = luring.open_file("/dev/null", "r")
            luring.close_fd(free)
            local function started()
                local limit = host.limit(free)
                local p = co.process { "sleep", "100" }
                host.limit(limit)
                return p
            end
            local p = started()
            if not p then return end -- musl's posix_spawn needs descriptors itself
            assert.is_true(p:kill("HUP"))
            local ok, kind, n = p:wait()
            assert.same({ nil, "signal", luring.SIGHUP }, { ok, kind, n })
            co.scope(function() p = started() end)
            ok, kind, n = p:wait()
            assert.same({ nil, "signal", luring.SIGTERM }, { ok, kind, n })
        end)
    end)

    it("is ended with its owner, its group too", function()
        co.run(function()
            local p
            co.scope(function()
                p = assert(co.process { "sh", "-c", "sleep 100 & echo $!; wait", stdout = "pipe", group = true })
                assert.truthy(p.stdout:line())
            end)
            local ok, kind, n = p:wait()
            assert.same({ nil, "signal", luring.SIGTERM }, { ok, kind, n })
        end)
    end)

    it("that is detached is left running", function()
        local pid
        co.run(function()
            local p = assert(co.process { "sleep", "100" })
            pid = p.pid
            p:detach()
        end)
        assert.equal(-luring.EAGAIN, luring.waitid_now(luring.P_PID, pid))
        os.execute("kill " .. pid)
        while luring.waitid_now(luring.P_PID, pid) == -luring.EAGAIN do os.execute("sleep 0.01") end
    end)

    it("that is described wrongly leaves no descriptor", function()
        co.run(function()
            co.sleep(0)
            local before = drive.descriptors()
            for _, wrong in ipairs {
                { "cat", {} }, { "cat", env = 5 }, { "cat", cwd = {} }, { "cat", stdout = "bogus" }, {}, { "a\0b" },
            } do
                for _, name in ipairs { "stdin", "stdout", "stderr" } do wrong[name] = wrong[name] or "pipe" end
                assert_mistake(function() local _ = co.process(wrong) end, "bad argument #1 to 'process' %(")
                wrong.stdin = nil
                assert_mistake(function() local _ = co.capture(wrong) end, "bad argument #1 to 'capture' %(")
            end
            assert.equal(before, drive.open_descriptors(before))
        end)
    end)

    it("that is detached has no descriptor left, and can be waited for and sent signals", function()
        co.run(function()
            co.sleep(0)
            local before = drive.descriptors()
            local p = assert(co.process { "sleep", "100" }):detach()
            assert.equal(before, drive.open_descriptors(before))
            assert.is_true(p:kill("HUP"))
            assert.same({ "signal", luring.SIGHUP }, { select(2, p:wait()) })
            -- Also while somebody waits, whether or not his wait has been submitted.
            for turns = 1, 3 do
                p = assert(co.process { "sleep", "100" })
                local t = co.spawn(function() return select(2, p:wait()) end)
                for _ = 1, turns do co.sleep(0) end
                p:detach()
                local from, to = luring.pipe2() -- may have the descriptor's number
                assert.is_true(p:kill("HUP"))
                assert.equal("signal", co.timeout(10, t.join, t))
                drive.close(from, to)
            end
            assert.equal(before, drive.open_descriptors(before))
        end)
    end)

    -- Whether a process runs, that is no zombie whose parent is late.
    local function runs(pid)
        local file = io.open("/proc/" .. pid .. "/stat")
        local state = file and (file:read("*a") or ""):match("%) (%a)")
        if file then file:close() end
        return state ~= nil and state ~= "Z" and state ~= "X"
    end

    local function assert_ends(pid)
        for _ = 1, 500 do
            if not runs(pid) then return end
            co.sleep(0.01)
        end
        os.execute("kill -KILL " .. pid)
        error("it still runs")
    end

    -- It names what it leaves in its group.
    local LEAVES = { "sh", "-c", "sleep 100 >&2 & echo $!", stdout = "pipe", group = true }

    it("that has ended is followed by its group at its owner's end", function()
        co.run(function()
            local left
            for _, waits in ipairs { true, false } do
                co.scope(function()
                    local p = assert(co.process(LEAVES))
                    left = p.stdout:line()
                    if waits then assert.is_true((p:wait())) else p.stdout:read_all() end
                    assert.is_true(runs(left))
                end)
                assert_ends(left)
            end
        end)
    end)

    it("is not waited for at its owner's end where its group is but zombies", function()
        co.run(function()
            local began
            co.scope(function()
                -- A zombie whose parent, which takes no end, is in no group of ours.
                local leaves = "(sleep 0 & exec setsid sleep 3) >&2 & sleep 0.2"
                local p = assert(co.process { "sh", "-c", leaves, group = true })
                assert.is_true((p:wait()))
                assert.is_true(p:kill(0))
                began = co.now()
            end)
            assert.is_true(co.now() - began < 2)
        end)
    end)

    it("that has ended passes signals to its group, while there is one", function()
        co.run(function()
            local p = assert(co.process(LEAVES))
            local left = p.stdout:line()
            p:wait()
            assert.is_true(p:kill("HUP"))
            assert_ends(left)
            -- A zombie counts, until somebody takes its end.
            if luring.kill(tonumber(left), 0) == -luring.ESRCH then
                assert.same({ nil, luring.strerror(luring.ESRCH), luring.ESRCH }, { p:kill() })
            end
            p = assert(co.process { "true", group = true })
            p:wait()
            assert.same({ nil, luring.strerror(luring.ESRCH), luring.ESRCH }, { p:kill() })
        end)
    end)

    it("that is captured leaves nobody of its group", function()
        co.run(function()
            local _, _, errno, so_far = co.capture { "sh", "-c", "sleep 100 & echo $!", timeout = 0.3, group = true }
            assert.equal(luring.ETIMEDOUT, errno)
            assert_ends(assert(so_far.stdout:match("%d+")))
        end)
    end)

    it("is captured, with what there was at a timeout", function()
        co.run(function()
            local r = assert(co.capture { "sh", "-c", "echo out; echo err >&2; exit 2" })
            assert.same({ false, 2, "out\n", "err\n" }, { r.ok, r.status, r.stdout, r.stderr })
            local nothing, message, errno, so_far = co.capture { "sh", "-c", "echo x; exec sleep 100", timeout = 0.2 }
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, { nothing, message, errno })
            assert.equal("x\n", so_far.stdout)
            local large = assert(co.capture { "sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2" })
            assert.same({ 300000, 300000 }, { #large.stdout, #large.stderr })
            assert.is_nil((co.capture { "sh", "-c", "yes", max = 100000 }))
        end)
    end)

    it("is given what it reads, as far as it does", function()
        co.run(function()
            co.sleep(0)
            local before = drive.descriptors()
            local large = ("0123456789"):rep(100000)
            for _, input in ipairs { "", "a\0b", large } do
                assert.equal(input, assert(co.capture { "cat", input = input }).stdout)
            end
            assert.is_true(assert(co.capture { "true", input = large }).ok)
            local nothing, message = co.capture { "sleep", "100", input = large, timeout = 0.1 }
            assert.same({ nil, "timed out" }, { nothing, message })
            assert.equal(before, drive.open_descriptors(before))
        end)
    end)
end)
