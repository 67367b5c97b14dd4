local co = require "luring.co"
local luring = require "luring"
local drive = require "drive"

local unpack = table.unpack or unpack -- luacheck: ignore 143

-- What run raises.
local function error_of(f)
    local ok, err = pcall(co.run, f)
    assert.is_false(ok)
    return err
end

describe("co.run", function()
    it("gives the results of its function, nils included", function()
        local got = { n = 0 }
        local function keep(...) got = { n = select("#", ...), ... } end
        keep(co.run(function(a, b) return a, nil, b, nil end, 1, 2))
        assert.same({ n = 4, [1] = 1, [3] = 2 }, got)
        keep(co.run(function() end))
        assert.is_true(got.n <= 1)
    end)

    it("runs until all tasks have ended", function()
        local log = {}
        co.run(function()
            co.spawn(function()
                co.sleep(0.01)
                log[#log + 1] = "child"
                co.spawn(function() log[#log + 1] = "grandchild" end)
            end)
            log[#log + 1] = "first"
        end)
        assert.same({ "first", "child", "grandchild" }, log)
    end)

    it("in a task is an error", function()
        co.run(function()
            local ok, err = co.pcall(co.run, function() end)
            assert.is_false(ok)
            assert.truthy(err:find("co.run within a task", 1, true))
        end)
    end)

    it("can be called again, after an error too", function()
        error_of(function() error("x") end)
        assert.equal(7, co.run(function() return 7 end))
    end)

    it("leaves no descriptor open", function()
        co.run(function() co.sleep(0) end)
        local before = drive.descriptors()
        for _ = 1, 5 do co.run(function() co.sleep(0.001) end) end
        assert.equal(before, drive.descriptors())
    end)
end)

describe("a task", function()
    it("starts when its parent next waits", function()
        co.run(function()
            local log = {}
            co.spawn(function() log[#log + 1] = "child" end)
            log[#log + 1] = "parent"
            co.sleep(0)
            assert.same({ "parent", "child" }, log)
        end)
    end)

    it("is joined for its results, before and after its end", function()
        co.run(function()
            local t = co.spawn(function(a) co.sleep(0.001) return a, nil, 3 end, 1)
            for _ = 1, 2 do
                local got = { t:join() }
                assert.same({ 1, nil, 3 }, got)
            end
            assert.equal("done", t:status())
        end)
    end)

    it("has a name, a status, and a place", function()
        co.run(function()
            local before = co.now()
            local t = co.spawn(function() co.channel():recv() end)
            t.name = {}
            for _, entry in ipairs(co.tasks()) do assert.equal("string", type(tostring(entry))) end
            t.name = "waiter"
            assert.equal("new", t:status())
            co.sleep(0)
            assert.equal("waiting", t:status())
            assert.truthy(t:traceback():find("co_task_spec", 1, true))
            assert.equal("running", co.self():status())
            local found
            for _, entry in ipairs(co.tasks()) do
                if entry.name == "waiter" then found = entry end
            end
            assert.equal("channel", found.waits)
            assert.equal("waiting", found.status)
            assert.is_true(before <= found.since and found.since <= co.now())
            assert.truthy(found.where:find("co_task_spec.lua:%d+"))
            assert.truthy(tostring(found):find("waiter: waiting, channel, at ", 1, true))
            t:cancel()
        end)
    end)

    it("tells what action it waits for", function()
        co.run(function()
            local from, to = luring.pipe2()
            local t = co.spawn(function() co.io.read(from, 1, -1) end)
            co.sleep(0)
            assert.equal("read fd " .. from, t:waits())
            luring.close_fd(to)
            t:join()
            luring.close_fd(from)
        end)
    end)

    it("in the background is cancelled when the others have ended", function()
        local ended
        co.run(function()
            co.background(function()
                co.scope(function(s)
                    s:defer(function() ended = true end)
                    co.sleep(math.huge)
                end)
            end)
            co.sleep(0)
            assert.is_nil(ended)
        end)
        assert.is_true(ended)
    end)
end)

describe("an error", function()
    it("leaves run as a string with the task's traceback and where it was spawned", function()
        local line
        local err = error_of(function()
            line = debug.getinfo(1, "l").currentline + 1
            co.spawn(function() error("oops") end)
            co.sleep(10)
        end)
        assert.truthy(err:find("oops", 1, true))
        assert.truthy(err:find("co_task_spec.lua:" .. line .. ": task %d+ spawned"))
        assert.falsy(err:find("luring/co/", 1, true))
    end)

    it("that is no string leaves unchanged", function()
        local err = {}
        assert.equal(err, error_of(function() co.spawn(error, err) co.sleep(10) end))
        assert.equal(err, error_of(function() error(err) end))
    end)

    it("cancels the scope's other children and its body, joined or not", function()
        local log = {}
        error_of(function()
            local function witness(name)
                return function()
                    local _, err = co.pcall(function() co.sleep(0) co.shield(co.sleep, 0) co.sleep(10) end)
                    log[name] = err or "cancelled"
                end
            end
            local s = co.spawn(witness("a"))
            co.spawn(function() co.sleep(0.005) error("first") end)
            s:join()
            log.body = true
        end)
        assert.same({}, log) -- co.pcall never catches a cancellation
    end)

    it("comes with the further ones", function()
        local function broken(message)
            return function()
                co.shield(co.sleep, 0.001)
                error(message, 0)
            end
        end
        local err = error_of(function()
            co.spawn(broken("one"))
            co.spawn(broken("two"))
            co.sleep(10)
        end)
        assert.truthy(err:find("one", 1, true))
        assert.truthy(err:find("and: two", 1, true))
        for _, several in ipairs { "all", "any" } do
            err = error_of(function() co[several] { broken("one"), broken("two") } end)
            assert.truthy(err:find("one.*and: two"), err)
        end
        err = error_of(function() co.map(2, { "one", "two" }, function(message) broken(message)() end) end)
        assert.truthy(err:find("one.*and: two"), err)
        -- Those that came with one of them too.
        err = error_of(function()
            co.spawn(broken("one"))
            co.spawn(co.shield, co.scope, function(s)
                s:spawn(function()
                    co.shield(co.sleep, 0.02)
                    error(setmetatable({}, { __tostring = function() return "two" end }))
                end)
                s:spawn(function()
                    co.shield(co.sleep, 0.04)
                    error()
                end)
                s:spawn(function()
                    co.shield(co.sleep, 0.06)
                    error("four", 0)
                end)
            end)
            co.sleep(10)
        end)
        -- Since Lua 5.5 no error is nil: it is a text, which has a traceback.
        local none = _VERSION == "Lua 5.5" and "<no error object>.*" or "nil"
        assert.truthy(err:find("one.*and: two\nand: " .. none .. "\nand: four"), err)
        local first = {}
        error_of(function()
            co.spawn(broken(first))
            co.spawn(broken("two"))
            co.sleep(10)
        end)
        assert.truthy(co.others(first)[1]:find("two", 1, true))
        assert.same({}, co.others({}))
    end)

    it("goes to whoever joins it", function()
        co.run(function()
            local ok, err = co.pcall(function()
                return co.scope(function(s)
                    local t = s:spawn(error, "mine", 0)
                    return t:join()
                end)
            end)
            assert.is_false(ok)
            assert.truthy(err:find("mine", 1, true))
            co.sleep(0)
        end)
    end)

    it("is told once, though it went through those who joined the task", function()
        local err = error_of(function()
            local one = co.spawn(function() error("broken", 0) end)
            local two = co.spawn(function() local value = one:join() return value end)
            local value = two:join()
            return value
        end)
        assert.equal(1, select(2, err:gsub("broken", "")), err)
        -- Another with the same words is another.
        err = error_of(function()
            for _ = 1, 2 do
                co.spawn(function()
                    co.shield(co.sleep, 0.001)
                    error("broken", 0)
                end)
            end
            co.sleep(10)
        end)
        assert.equal(2, select(2, err:gsub("broken", "")), err)
    end)

    it("may be taken as a value by co.pcall in the child", function()
        assert.equal("kept", co.run(function()
            local t = co.spawn(function()
                local _, err = co.pcall(error, "kept", 0)
                return err
            end)
            return (t:join())
        end))
    end)

    it("of a background task is one too", function()
        assert.truthy(error_of(function()
            co.background(error, "behind", 0)
            co.sleep(10)
        end):find("behind", 1, true))
    end)

    it("of a wrong argument is raised in the task, and not in the loop", function()
        co.run(function()
            local ok, err = co.pcall(function() co.io.read("x", 1, -1) end)
            assert.is_false(ok)
            assert.truthy(err:find("bad argument", 1, true))
            assert.is_true(co.sleep(0))
        end)
    end)

    it("of a wrong argument may come several times in a row", function()
        co.run(function()
            for n = 1, 5 do
                local ok, err = co.pcall(function() co.io.read(-1, "x" .. n, -1) end)
                assert.is_false(ok)
                assert.truthy(err:find("bad argument #2 to 'read'", 1, true), err)
                ok, err = co.pcall(function() co.io.fsync("x", 0) end)
                assert.is_false(ok)
                assert.truthy(err:find("bad argument #1 to 'fsync'", 1, true), err)
            end
            assert.is_true(co.sleep(0))
        end)
    end)

    it("of a wrong argument names the place, the function and the argument as the program has them", function()
        local line = debug.getinfo(1, "l").currentline
        local cases = {
            ["bad argument #1 to 'read' (number expected, got string)"] = function() co.io.read("x", 1, -1) end,
            ["bad argument #3 to 'read' (number expected, got no value)"] = function() co.io.read(0, 1) end,
            ["bad argument #2 to 'write' (string expected, got no value)"] = function() co.await(luring.write, 1) end,
            ["bad argument #2 to 'connect' (field 'family'"] = function() co.io.connect(1, { family = 99 }) end,
        }
        for text, f in pairs(cases) do
            local whole = ("^tests/co_task_spec%%.lua:(%%d+): %s"):format((text:gsub("[()#'%-]", "%%%0")))
            for _, call in ipairs { f, function() co.wrap(f)() end } do
                local at
                co.run(function()
                    local ok, err = co.pcall(call)
                    assert.is_false(ok)
                    at = err:match(whole)
                    assert.truthy(at, err)
                end)
                assert.is_true(tonumber(at) > line and tonumber(at) < line + 12, at)
            end
        end
    end)
end)

describe("a scope", function()
    it("is left when all its children have ended, with its function's results", function()
        co.run(function()
            local log = {}
            local a, b = co.scope(function(s)
                s:spawn(function() co.sleep(0.005) log[#log + 1] = "child" end)
                log[#log + 1] = "body"
                return 1, 2
            end)
            log[#log + 1] = "after"
            assert.same({ "body", "child", "after" }, log)
            assert.same({ 1, 2 }, { a, b })
        end)
    end)

    it("takes a program with its pipes", function()
        co.run(function()
            co.scope(function(outer)
                local p
                co.scope(function()
                    p = assert(co.process { "echo", "moved", stdout = "pipe" })
                    assert.equal(p, outer:own(p))
                end)
                assert.equal("moved\n", p.stdout:read_all())
                assert.is_true((p:wait()))
            end)
        end)
    end)

    it("takes nothing when it has ended: nobody would run or close it", function()
        co.run(function()
            local ended
            co.scope(function(s) ended = s end)
            for _, call in ipairs {
                function() ended:spawn(function() end) end,
                function() ended:defer(function() end) end,
                function() ended:own(co.stream((luring.pipe2()))) end,
            } do
                local ok, err = pcall(call)
                assert.is_false(ok)
                assert.truthy(err:find("co_task_spec.lua:%d+: the scope has ended"), err)
            end
        end)
    end)

    it("is where spawn's children belong", function()
        co.run(function()
            local done
            co.scope(function()
                co.spawn(function() co.sleep(0.005) done = true end)
            end)
            assert.is_true(done)
        end)
    end)

    it("runs what is deferred in reverse, and it may wait", function()
        local log = {}
        co.run(function()
            co.scope(function(s)
                s:defer(function() co.sleep(0.001) log[#log + 1] = 1 end)
                s:defer(function() co.sleep(0.001) log[#log + 1] = 2 end)
                log[#log + 1] = 0
            end)
            assert.same({ 0, 2, 1 }, log)
        end)
    end)

    it("runs it after an error and after a cancellation", function()
        local log = {}
        co.run(function()
            co.pcall(function()
                co.scope(function(s)
                    s:defer(function() co.sleep(0) log[#log + 1] = "error" end)
                    error("x")
                end)
            end)
            local t = co.spawn(function()
                co.scope(function(s)
                    s:defer(function() co.sleep(0) log[#log + 1] = "cancelled" end)
                    co.sleep(10)
                end)
            end)
            co.sleep(0.001)
            t:cancel()
        end)
        assert.same({ "error", "cancelled" }, log)
    end)

    it("reports an error of what is deferred, and runs the rest", function()
        local log = {}
        local err = error_of(function()
            co.scope(function(s)
                s:defer(function() log[#log + 1] = 1 end)
                s:defer(function() error("in defer") end)
            end)
        end)
        assert.truthy(err:find("in defer", 1, true))
        assert.same({ 1 }, log)
    end)

    it("may be cancelled: nil and why", function()
        co.run(function()
            local got = { co.scope(function(s)
                s:spawn(function() co.sleep(0.001) s:cancel("enough") end)
                co.sleep(10)
            end) }
            assert.same({ nil, "enough", luring.ECANCELED }, got)
        end)
    end)

    it("passes on errors of nested ones, once", function()
        local err = error_of(function()
            co.scope(function()
                co.scope(function(s)
                    s:spawn(function() error("deep") end)
                end)
            end)
        end)
        local _, times = err:gsub("deep", "")
        assert.equal(1, times)
    end)
end)

describe("co.timeout", function()
    it("gives results, or nil, timed out and ETIMEDOUT", function()
        co.run(function()
            assert.same({ 1, 2 }, { co.timeout(10, function() co.sleep(0.001) return 1, 2 end) })
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, { co.timeout(0.005, co.sleep, 10) })
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, { co.timeout(0, co.sleep, 10) })
        end)
    end)

    it("passes on errors", function()
        co.run(function()
            local ok, err = co.pcall(co.timeout, 10, error, "x", 0)
            assert.same({ false, "x" }, { ok, err })
        end)
    end)

    it("may be nested: the shorter one ends first", function()
        co.run(function()
            local got
            local outer = { co.timeout(10, function()
                got = { co.timeout(0.005, co.sleep, 10) }
                return "outer"
            end) }
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, got)
            assert.same({ "outer" }, outer)
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, { co.timeout(0.005, co.timeout, 10, co.sleep, 10) })
        end)
    end)

    it("whose function has results in spite of the deadline gives those", function()
        -- Before a real deadline it might not even begin.
        co.loop({ clock = "virtual" }):run(function()
            assert.equal("result", co.timeout(0.001, function() return co.shield(function()
                co.sleep(0.01)
                return "result"
            end) end))
        end)
    end)
end)

describe("several at once", function()
    it("all gives each one's first result, in order", function()
        co.run(function()
            assert.same({ "a", "b" }, co.all {
                function() co.sleep(0.005) return "a" end,
                function() return "b" end,
            })
            assert.same({}, co.all {})
        end)
    end)

    it("all gives the first refusal, and cancels the others", function()
        co.run(function()
            local ended
            assert.same({ nil, "no", 5 }, { co.all {
                function() co.sleep(10) ended = true end,
                function() co.sleep(0.001) return nil, "no", 5 end,
            } })
            assert.is_nil(ended)
        end)
    end)

    it("all passes on an error when the others have ended", function()
        co.run(function()
            local cleaned
            local ok, err = co.pcall(co.all, {
                function()
                    co.scope(function(s)
                        s:defer(function() co.sleep(0) cleaned = true end)
                        co.sleep(10)
                    end)
                end,
                function() co.sleep(0.001) error("x", 0) end,
            })
            assert.same({ false, "x", true }, { ok, err, cleaned })
        end)
    end)

    it("any gives the first result that is not nil, else the last refusal", function()
        co.run(function()
            local slow
            assert.same({ "fast", 2 }, { co.any {
                function() co.sleep(1) slow = true return "slow" end,
                function() return nil, "no" end,
                function() co.sleep(0.001) return "fast", 2 end,
            } })
            assert.is_nil(slow)
            assert.same({ nil, "late", 2 }, { co.any {
                function() co.sleep(0.005) return nil, "late", 2 end,
                function() return nil, "early", 1 end,
            } })
        end)
    end)

    it("map runs at most n", function()
        co.run(function()
            local now, most = 0, 0
            local list = co.map(3, { 1, 2, 3, 4, 5, 6, 7 }, function(x)
                now = now + 1
                most = math.max(most, now)
                co.sleep(0.001)
                now = now - 1
                return x * 2
            end)
            assert.same({ 2, 4, 6, 8, 10, 12, 14 }, list)
            assert.equal(3, most)
        end)
    end)

    it("map takes an iterator, which may wait", function()
        co.run(function()
            local channel = co.channel()
            co.spawn(function()
                for n = 1, 5 do
                    co.sleep(0.001)
                    channel:send(n)
                end
                channel:close()
            end)
            assert.same({ 1, 2, 3, 4, 5 }, co.map(2, function() return (channel:recv()) end, function(n)
                co.sleep(0.0005)
                return n
            end))
        end)
    end)

    it("are cancelled with their caller", function()
        co.run(function()
            for _, call in ipairs {
                { co.all, { function() co.sleep(10) end, function() co.sleep(10) end } },
                { co.any, { function() co.sleep(10) end } },
                { co.map, 2, { 1, 2, 3 }, function() co.sleep(10) end },
                { co.timeout, 20, co.sleep, 10 },
            } do
                local t = co.spawn(unpack(call, 1, 4))
                co.sleep(0.001)
                t:cancel()
                local ok, err = co.pcall(t.join, t)
                assert.is_false(ok)
                assert.truthy(err:find("was cancelled", 1, true))
            end
        end)
    end)
end)
