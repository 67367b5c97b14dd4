local luring = require "luring"
local drive = require "drive"
local host = require "host"

local ring, from, to
before_each(function()
    ring = luring.queue_init(64, 0)
    from, to = drive.idle_pipe()
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

describe("do_cqes", function()
    -- Queues a write of one byte, which completes at once.
    local function write(callback) return assert(luring.write(ring, to, "x", -1, callback)) end

    it("returns -EAGAIN alone when the queue is empty, and never waits", function()
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(1, select("#", luring.do_cqes(ring)))
        luring.read(ring, from, 1, -1)
        luring.submit(ring)
        assert.equal(-11, luring.do_cqes(ring))
        write(luring.cqe_seen)
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("ignores further arguments", function()
        assert.equal(-11, luring.do_cqes(ring, nil, "x", {}))
    end)

    it("calls each callback once, when it marks its completion seen", function()
        local calls = {}
        for i = 1, 50 do
            write(function(cqe)
                luring.cqe_seen(ring, cqe)
                calls[i] = (calls[i] or 0) + 1
            end)
        end
        assert.equal(-11, drive.turn(ring, 50))
        for i = 1, 50 do assert.equal(1, calls[i], i) end
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("calls back in the order of the completions", function()
        local order = {}
        for i = 1, 50 do
            write(function(cqe)
                luring.cqe_seen(ring, cqe)
                order[#order + 1] = i
            end)
            luring.submit_and_wait(ring, i)
        end
        luring.do_cqes(ring)
        for i = 1, 50 do assert.equal(i, order[i]) end
    end)

    it("calls those that arrive meanwhile", function()
        local left = 100
        local function again(cqe)
            luring.cqe_seen(ring, cqe)
            left = left - 1
            if left > 0 then
                write(again)
                luring.submit_and_wait(ring, 1)
            end
        end
        write(again)
        luring.submit_and_wait(ring, 1)
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(0, left)
    end)

    it("passes the key that the action returned", function()
        local got
        local key = write(function(cqe)
            got = cqe
            luring.cqe_seen(ring, cqe)
        end)
        drive.turn(ring)
        assert.equal("userdata", type(got))
        assert.equal(key, got)
    end)

    it("passes exactly (cqe, res, result), or (cqe, res)", function()
        local one, other = luring.socketpair()
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local client = luring.tcp_connect(luring.getsockname(listener))
        local counts, connection = {}, nil
        local function count(name)
            return function(...)
                local cqe, res = ...
                counts[name] = select("#", ...)
                assert.equal("userdata", type(cqe))
                assert.equal("number", type(res))
                assert.equal(counts[name] == 3 and "string" or "nil", type((select(3, ...))))
                if name == "accept" then connection = res end
                luring.cqe_seen(ring, cqe)
            end
        end
        luring.write(ring, to, "x", -1, count "write")
        luring.send(ring, one, "x", 0, count "send")
        luring.accept(ring, listener, 0, count "accept")
        drive.turn(ring, 3)
        luring.read(ring, from, 1, -1, count "read")
        luring.recv(ring, other, 1, 0, count "recv")
        drive.turn(ring, 2)
        assert.same({ write = 2, send = 2, accept = 2, read = 3, recv = 3 }, counts)
        for _, name in ipairs { "write", "send", "accept", "read", "recv" } do
            counts = {}
            local all = ({
                write = { "x", 0 }, send = { "x", 0 }, accept = { 0 }, read = { 1, 0 }, recv = { 1, 0 },
            })[name]
            all[#all + 1] = count("bad " .. name)
            luring[name](ring, -1, (unpack or table.unpack)(all))
            drive.turn(ring)
            assert.equal((name == "read" or name == "recv") and 3 or 2, counts["bad " .. name], name)
        end
        drive.close(one, other, listener, client, connection)
    end)

    it("drops what a callback returns", function()
        write(function(cqe)
            luring.cqe_seen(ring, cqe)
            return 1, 2, 3
        end)
        luring.submit_and_wait(ring, 1)
        assert.same({ -11 }, { luring.do_cqes(ring) })
    end)

    it("marks a completion without callback seen", function()
        -- Not a pipe: a kernel that hands these to its workers may read before it writes.
        local null, zeros = luring.open_file("/dev/null", "a"), luring.open_file("/dev/zero", "r")
        for _ = 1, 2 do
            for i = 1, 32 do
                assert.truthy(luring.write(ring, null, "x" .. i, -1))
                assert.truthy(luring.read(ring, zeros, 10, -1, nil))
            end
            assert.equal(64, luring.submit_and_wait(ring, 64))
            assert.equal(-11, luring.do_cqes(ring))
        end
        drive.close(null, zeros)
        local called = 0
        write(function(cqe)
            luring.cqe_seen(ring, cqe)
            called = called + 1
        end)
        drive.turn(ring)
        assert.equal(1, called)
    end)

    it("marks thousands of them seen in one go, with contents of every size", function()
        local many = luring.queue_init(4096, 0)
        local null = luring.open_file("/dev/null", "a")
        for _ = 1, 2 do
            for i = 1, 4096 do assert.truthy(luring.write(many, null, ("x"):rep(i), -1)) end
            assert.equal(4096, luring.submit_and_wait(many, 4096))
            assert.equal(-11, luring.do_cqes(many))
        end
        luring.close_fd(null)
        luring.queue_exit(many)
    end)

    it("calls whatever can be called", function()
        local got
        local callable = setmetatable({}, {
            __call = function(self, cqe, res, ...)
                got = { self, res, select("#", ...) }
                luring.cqe_seen(ring, cqe)
            end,
        })
        write(callable)
        drive.turn(ring)
        assert.equal(callable, got[1])
        assert.same({ 1, 0 }, { got[2], got[3] })
    end)

    it("calls with the coroutine that called it, and the callback can't yield", function()
        local inside, message
        local task = coroutine.create(function()
            write(function(cqe)
                luring.cqe_seen(ring, cqe)
                inside = coroutine.running()
            end)
            drive.turn(ring)
            write(function(cqe)
                luring.cqe_seen(ring, cqe)
                coroutine.yield()
            end)
            local _, raised = pcall(drive.turn, ring)
            message = tostring(raised)
        end)
        assert(coroutine.resume(task))
        assert.equal("dead", coroutine.status(task))
        assert.equal(task, inside)
        assert.truthy(message:find("attempt to yield across", 1, true), message)
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("calls on whatever coroutine it runs, after the one that queued has died", function()
        local called = 0
        coroutine.wrap(function()
            for i = 1, 10 do
                write(function(cqe)
                    luring.cqe_seen(ring, cqe)
                    called = called + i
                end)
            end
        end)()
        drive.collect()
        drive.turn(ring, 10)
        assert.equal(55, called)
    end)
end)

describe("a completion that is not marked seen", function()
    it("is delivered again and again, before any other", function()
        local calls, others = {}, 0
        luring.write(ring, to, "hello", -1)
        drive.turn(ring)
        luring.read(ring, from, 100, -1, function(cqe, ...)
            calls[#calls + 1] = { cqe, ... }
            if #calls == 5 then luring.cqe_seen(ring, cqe) end
        end)
        luring.submit_and_wait(ring, 1)
        luring.write(ring, to, "x", -1, function(cqe)
            others = others + 1
            assert.equal(5, #calls)
            luring.cqe_seen(ring, cqe)
        end)
        luring.submit_and_wait(ring, 2)
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(5, #calls)
        assert.equal(1, others)
        for _, call in ipairs(calls) do assert.same({ calls[1][1], 5, "hello" }, call) end
    end)

    it("keeps its callback", function()
        local kept = setmetatable({}, { __mode = "k" })
        local seen = false
        local function action()
            local count = 0
            local function callback(cqe)
                count = count + 1
                drive.collect()
                if count == 3 then
                    luring.cqe_seen(ring, cqe)
                    seen = true
                end
            end
            kept[callback] = true
            luring.write(ring, to, "x", -1, callback)
        end
        action()
        drive.turn(ring)
        assert.is_true(seen)
        drive.collect()
        assert.is_nil(next(kept))
    end)
end)

describe("cqe_seen", function()
    local NOT = "bad argument #2 to 'cqe_seen' (not the cqe that a callback of this ring has got, or already seen)"

    local function refused(cqe)
        local ok, message = pcall(function() luring.cqe_seen(ring, cqe) end)
        assert.is_false(ok)
        return message
    end

    it("returns nothing", function()
        local count
        luring.write(ring, to, "x", -1, function(cqe) count = select("#", luring.cqe_seen(ring, cqe)) end)
        drive.turn(ring)
        assert.equal(0, count)
    end)

    it("may come early: then queue, submit, and do_cqes again", function()
        local order = {}
        local function second(cqe, _, result)
            order[#order + 1] = result
            luring.cqe_seen(ring, cqe)
        end
        luring.write(ring, to, "first", -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            order[#order + 1] = "begin"
            luring.read(ring, from, 100, -1, second)
            luring.submit_and_wait(ring, 1)
            assert.equal(-11, luring.do_cqes(ring))
            order[#order + 1] = "end"
        end)
        drive.turn(ring)
        assert.same({ "begin", "first", "end" }, order)
    end)

    it("lets go of the callback at once", function()
        local kept = setmetatable({}, { __mode = "k" })
        local after
        local function action()
            local function callback(cqe)
                luring.cqe_seen(ring, cqe)
            end
            kept[callback] = ring
            luring.write(ring, to, "x", -1, callback)
        end
        action()
        luring.submit_and_wait(ring, 1) -- so that it comes first
        luring.write(ring, to, "x", -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            drive.collect()
            after = next(kept)
        end)
        drive.turn(ring, 2)
        assert.is_nil(after)
    end)

    it("refuses what is no cqe", function()
        for _, wrong in ipairs { { nil, "nil" }, { 1, "number" }, { "x", "string" }, { {}, "table" } } do
            local message = refused(wrong[1])
            local expected = ("bad argument #2 to 'cqe_seen' (cqe expected, got %s)"):format(wrong[2])
            assert.truthy(message:find(expected, 1, true), message)
        end
        for n = 0, 100 do assert.truthy(refused(host.light(n)):find(NOT, 1, true)) end
    end)

    it("refuses a cqe a second time, and an old one", function()
        local old, calls, messages = nil, 0, {}
        luring.write(ring, to, "x", -1, function(cqe)
            calls = calls + 1
            old = cqe
            luring.cqe_seen(ring, cqe)
            messages[1] = refused(cqe)
        end)
        drive.turn(ring)
        messages[2] = refused(old)
        for i = 1, 10 do
            luring.write(ring, to, "x", -1, function(cqe)
                calls = calls + 1
                messages[2 + i] = refused(old)
                luring.cqe_seen(ring, cqe)
            end)
            drive.turn(ring)
        end
        assert.equal(12, #messages)
        for _, message in ipairs(messages) do assert.truthy(message:find(NOT, 1, true), message) end
        assert.equal(11, calls)
    end)

    it("refuses an action's key before its callback has got it", function()
        local calls = 0
        local function callback(cqe)
            calls = calls + 1
            luring.cqe_seen(ring, cqe)
        end
        local key = luring.write(ring, to, "x", -1, callback)
        assert.truthy(refused(key):find(NOT, 1, true)) -- queued
        luring.submit_and_wait(ring, 1)
        assert.truthy(refused(key):find(NOT, 1, true)) -- completed
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(1, calls)
        local idle = luring.read(ring, from, 0, -1, callback)
        luring.write(ring, to, "x", -1, function(cqe)
            assert.truthy(refused(idle):find(NOT, 1, true)) -- another's callback
            luring.cqe_seen(ring, cqe)
        end)
        drive.turn(ring, 2)
        assert.equal(2, calls)
    end)

    it("refuses another ring's cqe, and both go on", function()
        local other = luring.queue_init(8, 0)
        local calls = 0
        luring.write(ring, to, "x", -1, function(cqe)
            calls = calls + 1
            luring.write(other, to, "x", -1, function(cqe2)
                calls = calls + 1
                assert.truthy(refused(cqe2):find(NOT, 1, true))
                assert.has_error(function() luring.cqe_seen(other, cqe) end)
                luring.cqe_seen(other, cqe2)
            end)
            drive.turn(other)
            luring.cqe_seen(ring, cqe)
        end)
        drive.turn(ring)
        assert.equal(2, calls)
        luring.queue_exit(other)
    end)

    it("works after the callback that raised", function()
        local got, calls = nil, 0
        luring.write(ring, to, "x", -1, function(cqe)
            got = cqe
            calls = calls + 1
            error("on purpose")
        end)
        assert.has_error(function() drive.turn(ring) end)
        luring.cqe_seen(ring, got)
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(1, calls)
    end)
end)

describe("an error in a callback", function()
    it("leaves do_cqes as the value that was raised", function()
        local values = { "text", { "a table" }, 42, true, print, ring }
        for _, value in ipairs(values) do
            luring.write(ring, to, "x", -1, function(cqe)
                luring.cqe_seen(ring, cqe)
                error(value, 0)
            end)
            luring.submit_and_wait(ring, 1)
            local ok, raised = pcall(luring.do_cqes, ring)
            assert.is_false(ok)
            assert.is_true(rawequal(value, raised))
            assert.equal(-11, luring.do_cqes(ring))
        end
    end)

    it("shows a message handler the callback's own stack", function()
        local function failing(cqe)
            luring.cqe_seen(ring, cqe)
            local number = 1
            return number.field.field
        end
        luring.write(ring, to, "x", -1, failing)
        luring.submit_and_wait(ring, 1)
        local found, traceback
        local ok = xpcall(function() return (luring.do_cqes(ring)) end, function(message)
            traceback = debug.traceback(message)
            local level = 1
            local frame = debug.getinfo(level, "f")
            while frame do
                found = found or frame.func == failing
                level = level + 1
                frame = debug.getinfo(level, "f")
            end
        end)
        assert.is_false(ok)
        assert.is_true(found)
        local line = debug.getinfo(failing, "S").linedefined
        assert.truthy(traceback:find("callbacks_spec.lua:" .. line .. ">", 1, true), traceback)
    end)

    it("before cqe_seen leaves the completion, which is delivered again", function()
        local results = {}
        luring.write(ring, to, "hello", -1)
        drive.turn(ring)
        luring.read(ring, from, 100, -1, function(cqe, res, result)
            results[#results + 1] = res .. result
            if #results < 4 then error("not yet", 0) end
            luring.cqe_seen(ring, cqe)
        end)
        luring.submit_and_wait(ring, 1)
        for _ = 1, 3 do
            local ok, message = pcall(luring.do_cqes, ring)
            assert.is_false(ok)
            assert.equal("not yet", message)
            drive.collect()
        end
        assert.equal(-11, luring.do_cqes(ring))
        assert.same({ "5hello", "5hello", "5hello", "5hello" }, results)
    end)

    it("leaves the other completions", function()
        local called = 0
        for i = 1, 8 do
            luring.write(ring, to, "x", -1, function(cqe)
                luring.cqe_seen(ring, cqe)
                called = called + 1
                if i % 2 == 0 then error("even") end
            end)
        end
        luring.submit_and_wait(ring, 8)
        local errors = 0
        for _ = 1, 8 do
            if not pcall(luring.do_cqes, ring) then errors = errors + 1 end
        end
        assert.equal(8, called)
        assert.equal(4, errors)
    end)

    it("comes through a nested do_cqes", function()
        local value = {}
        luring.write(ring, to, "x", -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            luring.write(ring, to, "x", -1, function(cqe2)
                luring.cqe_seen(ring, cqe2)
                error(value)
            end)
            drive.turn(ring)
        end)
        local ok, raised = pcall(drive.turn, ring)
        assert.is_false(ok)
        assert.equal(value, raised)
    end)
end)

describe("queue_exit in a callback", function()
    for _, seen in ipairs { "before", "not at all" } do
        it("makes do_cqes stop and return, the completion seen " .. seen, function()
            local called = 0
            local kept = setmetatable({}, { __mode = "k" })
            local function queue()
                for _ = 1, 5 do
                    local function callback(cqe)
                        called = called + 1
                        if seen == "before" then luring.cqe_seen(ring, cqe) end
                        luring.queue_exit(ring)
                        drive.collect()
                        local ok, message = pcall(luring.cqe_seen, ring, cqe)
                        assert.is_false(ok)
                        assert.truthy(message:find("exited", 1, true), message)
                    end
                    kept[callback] = true
                    luring.write(ring, to, "x", -1, callback)
                end
                luring.read(ring, from, 100000, -1, function() called = -1 end)
            end
            queue()
            luring.submit_and_wait(ring, 6)
            assert.equal(-11, luring.do_cqes(ring))
            assert.equal(1, called)
            drive.collect()
            assert.is_nil(next(kept))
        end)
    end

    it("nested, ends every do_cqes around it", function()
        local depth, returned = 0, {}
        local function nest(cqe)
            luring.cqe_seen(ring, cqe)
            depth = depth + 1
            if depth == 4 then return luring.queue_exit(ring) end
            luring.write(ring, to, "x", -1, nest)
            luring.submit_and_wait(ring, 1)
            local result = luring.do_cqes(ring)
            returned[#returned + 1] = result
        end
        luring.write(ring, to, "x", -1, nest)
        assert.equal(-11, drive.turn(ring))
        assert.same({ -11, -11, -11 }, returned)
    end)
end)
