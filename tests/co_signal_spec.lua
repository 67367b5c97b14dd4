-- Signals that tasks wait for. Each program has a process of its own.

local child = require "child"
local host = require "host"

local START = ([[
local co = require "luring.co"
local luring = require "luring"
local host = package.loadlib(%q, "luaopen_host")()
local me = luring.readlink("/proc/self")

-- Sends this process a signal, which has come when this returns.
local function kill(name, pid)
    assert(io.popen("kill -" .. name .. " " .. (pid or me) .. "; echo sent")):read("*a")
end

-- What is done to signals: in this process, or as the program sees it that this one starts.
local function masks(command)
    local file = assert(command and io.popen(command .. " /proc/self/status") or io.open("/proc/self/status"))
    local all = file:read("*a")
    file:close()
    return all:match("SigBlk.-SigCgt:%%s*%%x+")
end

-- Whether a signal is in one of these.
local function has(which, signal)
    local digits = masks():match(which .. ":%%s*(%%x+)")
    local digit = tonumber(digits:sub(-math.floor((signal - 1) / 4) - 1):sub(1, 1), 16)
    return math.floor(digit / 2 ^ ((signal - 1) %% 4)) %% 2 == 1
end

-- How the process ends that a function is run in.
local function forked(f)
    io.stdout:flush()
    local pid = host.fork()
    if pid == 0 then
        local ok, why = pcall(f)
        if not ok then io.stderr:write(tostring(why), "\n") end
        host.exit(ok and 0 or 1)
    end
    local ended
    repeat ended = luring.waitid_now(luring.P_PID, pid) until ended ~= -luring.EAGAIN
    return ended.code == luring.CLD_EXITED and ended.status or "signal " .. ended.status
end
]]):format(host.path)

-- Runs a program that asserts what it should; `before` is put before the command.
local function run(program, before)
    local result = child.run(START .. program .. '\nprint("fine")', before)
    assert.same({ status = 0, output = "fine\n" }, result)
end

describe("a signal", function()
    it("is waited for, and remembered between two calls", function()
        run [[
            co.run(function()
                co.spawn(function()
                    co.sleep(0)
                    co.sleep(0)
                    kill("USR1")
                end)
                assert(co.signal("USR1", "USR2") == "USR1")
                kill("USR2")
                assert(co.signal("USR1", "USR2") == "USR2")
                -- In another call's order they are the same.
                kill("USR1")
                assert(co.signal("SIGUSR2", "SIGUSR1") == "SIGUSR1")
                -- Two of a kind may be one, and none is left over.
                kill("USR1")
                kill("USR1")
                assert(co.signal("USR1", "USR2") == "USR1")
                assert(select(3, co.timeout(0.05, co.signal, "USR1", "USR2")) == co.ETIMEDOUT)
                kill("USR2")
                assert(co.signal("USR1", "USR2") == "USR2")
            end)
        ]]
    end)

    it("that is given by its number is told by its name", function()
        run [[
            co.run(function()
                co.spawn(kill, "USR1")
                assert(co.signal(luring.SIGUSR1) == "USR1")
                co.spawn(kill, "CHLD")
                assert(co.signal(luring.SIGCHLD, luring.SIGUSR1) == "CHLD")
                -- Real-time signals have none.
                co.spawn(kill, "40")
                assert(co.signal(40) == 40)
            end)
        ]]
    end)

    it("comes to one of the tasks that wait for the same ones, and to each that waits for others", function()
        run [[
            local got = {}
            local function wait(...)
                local name = co.signal(...)
                got[#got + 1] = name
            end
            local function wait_all()
                co.spawn(wait, "USR1", "USR2")
                co.spawn(wait, "USR2", "USR1")
                co.spawn(wait, "USR1")
                co.spawn(wait, "USR1", "HUP")
                co.sleep(0.02)
            end
            co.run(function()
                -- Once they come while nobody waits, and once while all do.
                co.scope(function(s)
                    wait_all()
                    s:cancel()
                end)
                os.execute("kill -USR1 $PPID; kill -USR2 $PPID")
                wait_all()
                assert(#got == 4)
                wait_all()
                os.execute("kill -USR1 $PPID; kill -USR2 $PPID")
            end)
            table.sort(got)
            assert(table.concat(got, " ") == "USR1 USR1 USR1 USR1 USR1 USR1 USR2 USR2", table.concat(got, " "))
        ]]
    end)

    it("does what it did before when run has ended, also by an error", function()
        run [[
            local bodies = {
                function()
                    co.spawn(kill, "TERM", luring.readlink("/proc/self"))
                    assert(co.signal("TERM") == "TERM")
                end,
                function()
                    co.background(co.signal, "TERM")
                    co.sleep(0.01)
                    error("an error")
                end,
                function() co.timeout(0.01, co.signal, "INT", "TERM") end,
            }
            for n, body in ipairs(bodies) do
                local status = forked(function()
                    local pid = luring.readlink("/proc/self")
                    assert(pcall(co.run, body) == (n ~= 2))
                    kill("TERM", pid)
                    error("survived")
                end)
                assert(status == "signal " .. luring.SIGTERM, n .. ": " .. status)
            end
        ]]
        run [[
            local before = masks()
            assert(not has("SigCgt", luring.SIGTERM))
            co.run(function()
                co.background(co.signal, "TERM", "HUP")
                co.sleep(0.01)
                assert(has("SigCgt", luring.SIGTERM) and has("SigCgt", luring.SIGHUP))
                assert(not has("SigBlk", luring.SIGTERM))
            end)
            assert(masks() == before)
        ]]
    end)

    it("is given back to the handler that was there", function()
        -- The interpreter's own, for Ctrl-C, if it has one.
        run [[
            if not has("SigCgt", luring.SIGINT) then return print("fine") end
            co.run(function()
                co.spawn(kill, "INT")
                assert(co.signal("INT") == "INT")
            end)
            local ok, why = pcall(function()
                kill("INT")
                for _ = 1, 1000 do end
            end)
            assert(not ok and why:find("interrupted!", 1, true), why)
        ]]
        run([[
            assert(has("SigIgn", luring.SIGUSR1))
            co.run(function()
                co.spawn(kill, "USR1")
                assert(co.signal("USR1") == "USR1")
                assert(not has("SigIgn", luring.SIGUSR1))
            end)
            assert(has("SigIgn", luring.SIGUSR1))
        ]], [[sh -c 'trap "" USR1; exec "$@"' -]])
    end)

    it("comes where it was blocked, which it then is again", function()
        run [[
            luring.close_fd(luring.signalfd(luring.SIGUSR1))
            co.run(function()
                kill("USR1")
                assert(co.signal("USR1") == "USR1")
                assert(not has("SigBlk", luring.SIGUSR1))
            end)
            assert(has("SigBlk", luring.SIGUSR1))
        ]]
    end)

    it("is as ever in the programs that are started meanwhile", function()
        run [[
            local before = masks("cat")
            co.run(function()
                co.background(co.signal, "TERM", "INT", "HUP")
                co.sleep(0.01)
                assert(masks("cat") == before, masks("cat"))
                assert(co.capture({ "cat", "/proc/self/status" }).stdout:match("SigBlk:%s*0+\n"))
                local pipe = io.popen("sh -c 'kill -TERM $$; echo survived' 2>/dev/null; echo ended")
                assert(pipe:read("*l") == "ended")
                pipe:close()
            end)
        ]]
    end)

    it("comes to all loops that wait for it, and is let go of by the last", function()
        run [[
            local loop = co.loop()
            local got
            loop:spawn(function()
                got = co.signal("TERM")
                got = got .. co.signal("TERM")
            end)
            for _ = 1, 3 do loop:step() end
            co.run(function()
                co.spawn(kill, "TERM")
                assert(co.signal("TERM", "INT") == "TERM")
            end)
            for _ = 1, 5 do loop:step() end
            assert(got == "TERM")
            kill("TERM")
            while loop:step() do end
            assert(got == "TERMTERM")
            assert(not has("SigCgt", luring.SIGTERM))
        ]]
    end)

    it("is let go of when a loop is collected that has not ended", function()
        run [[
            local function begin()
                local loop = co.loop()
                loop:spawn(co.signal, "TERM")
                for _ = 1, 3 do loop:step() end
            end
            begin()
            assert(has("SigCgt", luring.SIGTERM))
            for _ = 1, 5 do collectgarbage() end
            assert(not has("SigCgt", luring.SIGTERM))
        ]]
    end)

    it("of a forked child's is none of its parent's, and has its default effect there", function()
        run [[
            co.run(function()
                local t = co.background(co.signal, "USR1", "HUP")
                co.sleep(0.01)
                local status = forked(function()
                    kill("USR1", luring.readlink("/proc/self"))
                    error("survived")
                end)
                assert(status == "signal " .. luring.SIGUSR1, status)
                co.sleep(0.05)
                assert(t:status() == "waiting")
                kill("USR1")
                assert(t:join() == "USR1")
            end)
        ]]
    end)

    it("is waited for anew in a forked child", function()
        run [[
            local loop = co.loop()
            local got
            loop:spawn(function() got = co.signal("USR1", "HUP") end)
            for _ = 1, 3 do loop:step() end
            local status = forked(function()
                co.run(function()
                    co.spawn(kill, "USR1", luring.readlink("/proc/self"))
                    assert(co.signal("USR1") == "USR1")
                end)
                kill("HUP", luring.readlink("/proc/self"))
                error("survived")
            end)
            assert(status == "signal " .. luring.SIGHUP, status)
            for _ = 1, 10 do loop:step() end
            assert(not got)
            kill("HUP")
            while loop:step() do end
            assert(got == "HUP")
        ]]
    end)

    it("that somebody else has taken meanwhile stays his", function()
        run [[
            co.run(function()
                co.timeout(0.01, co.signal, "ALRM")
                host.alarm(60000)
            end)
            assert(has("SigCgt", luring.SIGALRM))
        ]]
    end)

    it("leaves no descriptor behind", function()
        run [[
            local function descriptors()
                local n = 0
                for _ in pairs(luring.readdir("/proc/self/fd")) do n = n + 1 end
                return n
            end
            local before = descriptors()
            for _ = 1, 300 do
                co.run(function()
                    co.background(co.signal, "TERM")
                    co.background(co.signal, "INT")
                    co.sleep(0)
                    co.sleep(0)
                end)
            end
            collectgarbage()
            assert(descriptors() == before)
        ]]
    end)

    it("that can't be waited for is refused", function()
        run [[
            co.run(function()
                for _, name in ipairs { "KILL", "STOP", "SEGV" } do
                    local got, message, errno = co.signal("USR1", name)
                    assert(got == nil and type(message) == "string" and errno == co.EINVAL, name)
                    assert(not has("SigCgt", luring.SIGUSR1))
                end
                for _, wrong in ipairs { "NONE", 0, -1, 65, 1.5, {}, false } do
                    local ok, why = pcall(co.signal, "USR1", wrong)
                    assert(not ok and why:find("bad argument", 1, true), tostring(wrong))
                end
                assert(not pcall(co.signal))
            end)
        ]]
    end)
end)
