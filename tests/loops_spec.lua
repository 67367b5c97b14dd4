-- A ring that waits in others' loops, and others' objects as descriptors.

local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local drive = require "drive"

local ADDRESS = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
local ROUNDS = 20
local PATIENCE = 20 -- seconds

-- Rings that are told of their completions in different ways.
local KINDS = {
    { "a ring", 0 },
    { "a ring that is not interrupted", luring.IORING_SETUP_COOP_TASKRUN },
    { "a ring with a thread of its own", luring.IORING_SETUP_SQPOLL },
}

-- Runs `body(make)` for each kind, where `make()` is a ring of that kind; pending where there is none.
local function with_rings(does, body)
    for _, kind in ipairs(KINDS) do
        it(("%s %s"):format(kind[1], does), function()
            local made, ring = pcall(luring.queue_init, 16, kind[2])
            if not made then return pending(ring) end
            local ok, why = pcall(body, ring)
            luring.queue_exit(ring)
            if not ok then error(why, 0) end
        end)
    end
end

-- The library, or nil once the spec has been marked as pending.
local function needs(name, package)
    local found, library = pcall(require, name)
    if found then return library end
    it("is there", function()
        pending(("%s is not installed for this Lua (Debian's package %s)"):format(name, package))
    end)
end

-- Reads from a pipe that another process writes to when this one waits, and calls `done(data)`.
local function read_later(ring, done)
    local from, to = luring.pipe2()
    luring.read(ring, from, 10, -1, function(cqe, _, data)
        luring.cqe_seen(ring, cqe)
        drive.close(from, to)
        done(data)
    end)
    luring.submit(ring)
    local pid = luring.readlink("/proc/self")
    os.execute(("(sleep 0.1; printf x >/proc/%s/fd/%d) &"):format(pid, to))
end

-- Sends `ROUNDS` numbers on a connection, one after the answer to the other, and calls
-- `done(answers)` at the peer's end. Everything is submitted by the caller.
local function converse(ring, fd, done)
    local answers = {}
    local function say(n)
        luring.send(ring, fd, n .. "\n", 0, function(cqe, res)
            luring.cqe_seen(ring, cqe)
            if res < 0 then done(res) end
        end)
        luring.recv(ring, fd, 100, 0, function(cqe, res, data)
            luring.cqe_seen(ring, cqe)
            if res <= 0 then return done(res) end
            answers[#answers + 1] = data
            if n == ROUNDS then return done(answers) end
            say(n + 1)
        end)
    end
    say(1)
end

local function expected()
    local all = {}
    for n = 1, ROUNDS do all[n] = n .. "!\n" end
    return all
end

describe("pollable", function()
    it("refuses a ring that wakes nobody who waits", function()
        for _, flags in ipairs {
            0x2000 + 0x1000 --[[ DEFER_TASKRUN, SINGLE_ISSUER ]], luring.IORING_SETUP_IOPOLL,
        } do
            local made, ring = pcall(luring.queue_init, 4, flags)
            if not made then return pending(ring) end
            local ok, why = pcall(luring.pollable, ring)
            luring.queue_exit(ring)
            assert.is_false(ok)
            assert.truthy(why:find("wakes no loop", 1, true), why)
        end
    end)
end)

describe("cqueues' loop", function()
    local cqueues = needs("cqueues", "lua-cqueues")
    if not cqueues then return end

    with_rings("waits there, beside others' sockets", function(ring)
        local socket = require "cqueues.socket"
        local one, other = socket.pair() -- `one` is luring's: a descriptor by its `pollfd`
        local loop, answers = cqueues.new(), nil
        loop:wrap(function()
            other:setmode("bn", "bn")
            local line = other:read("*l") -- on Lua 5.1, what `for` calls can't wait
            while line do
                other:write(line, "!\n")
                line = other:read("*l")
            end
        end)
        loop:wrap(function()
            local object = luring.pollable(ring)
            converse(ring, one, function(what) answers = what end)
            while not answers do
                luring.submit(ring)
                cqueues.poll(object)
                luring.do_cqes(ring)
            end
            one:close()
        end)
        assert(loop:loop(PATIENCE))
        assert.same(expected(), answers)
    end)

    with_rings("is woken by other processes", function(ring)
        local object, got = luring.pollable(ring), nil
        read_later(ring, function(data) got = data end)
        local limit = luring.now() + PATIENCE
        while not got and luring.now() < limit do
            cqueues.poll(object, PATIENCE)
            luring.do_cqes(ring)
        end
        -- Or it takes the next ring, whose descriptor may have the same number, for this one.
        cqueues.cancel(object)
        assert.equal("x", got)
    end)

    with_rings("is ready while completions wait", function(ring)
        local object = luring.pollable(ring)
        -- The time that it waits for comes in place of the object.
        assert.not_equal(object, (cqueues.poll(object, 0)))
        luring.nop(ring)
        luring.submit_and_wait(ring, 1)
        assert.equal(object, (cqueues.poll(object, PATIENCE)))
        cqueues.cancel(object)
    end)
end)

describe("LuaSocket's select", function()
    local socket = needs("socket", "lua-socket")
    if not socket then return end

    with_rings("waits there, beside others' sockets", function(ring)
        local server = assert(socket.bind("127.0.0.1", 0))
        server:settimeout(0)
        local _, port = server:getsockname()
        local client = luring.tcp_connect { family = luring.AF_INET, addr = "127.0.0.1", port = tonumber(port) }
        local object = luring.pollable(ring)
        local reading, answers = { object, server }, nil
        converse(ring, client, function(what) answers = what end)
        luring.submit(ring)
        local limit = luring.now() + PATIENCE
        while not answers and luring.now() < limit do
            for _, ready in ipairs((socket.select(reading, nil, PATIENCE))) do
                if ready == object then
                    luring.do_cqes(ring)
                    luring.submit(ring)
                elseif ready == server then
                    reading[3] = assert(server:accept())
                else
                    ready:send(ready:receive() .. "!\n")
                end
            end
        end
        if reading[3] then reading[3]:close() end
        server:close()
        drive.close(client)
        assert.same(expected(), answers)
    end)

    with_rings("is woken by other processes", function(ring)
        local object, got = luring.pollable(ring), nil
        read_later(ring, function(data) got = data end)
        local limit = luring.now() + PATIENCE
        while not got and luring.now() < limit do
            socket.select({ object }, nil, PATIENCE)
            luring.do_cqes(ring)
        end
        assert.equal("x", got)
    end)

    with_rings("is ready while completions wait", function(ring)
        local object = luring.pollable(ring)
        assert.same({}, { (socket.select({ object }, nil, 0))[1] })
        luring.nop(ring)
        luring.nop(ring)
        luring.submit_and_wait(ring, 2)
        luring.do_cqes(ring, 1)
        assert.equal(object, (socket.select({ object }, nil, PATIENCE))[1])
        luring.do_cqes(ring)
        assert.same({}, { (socket.select({ object }, nil, 0))[1] })
    end)

    it("lends luring its sockets", function()
        local ring = luring.queue_init(8, 0)
        local server = assert(socket.bind("127.0.0.1", 0))
        local _, port = server:getsockname()
        local client = assert(socket.connect("127.0.0.1", tonumber(port)))
        local connection = drive.one(ring, "accept", server, 0)
        assert.equal(5, (drive.one(ring, "send", client, "hello", 0)))
        assert.equal("hello", (select(2, drive.one(ring, "recv", connection, 100, 0))))
        assert.equal(client:getfd(), luring.fileno(client))
        client:close()
        assert.has_error(function() luring.send(ring, client, "x", 0) end)
        server:close()
        drive.close(connection)
        luring.queue_exit(ring)
    end)
end)

describe("luring.luv", function()
    it("says what is missing where luv is not installed", function()
        local result = child.run [[
            local co, luv = require "luring.co", require "luring.luv"
            package.path, package.cpath = "", ""
            package.preload.luv = nil
            io.write(select(2, pcall(luv.attach, co.loop())))
        ]]
        assert.equal(0, result.status, result.output)
        local expected_why = "luring.luv needs luv, which can't be loaded: module 'luv' not found"
        assert.truthy(result.output:find(expected_why, 1, true), result.output)
    end)

    it("takes loops of luring.co, and no options that it doesn't know", function()
        local luv = require "luring.luv"
        for _, wrong in ipairs { false, 1, {}, luring.queue_init } do
            local ok, why = pcall(luv.attach, wrong)
            assert.is_false(ok)
            assert.truthy(why:find("a loop of co.loop expected", 1, true), why)
        end
        local ok, why = pcall(luv.attach, co.loop(), { error = print })
        assert.is_false(ok)
        assert.truthy(why:find("unknown option: error", 1, true), why)
    end)
end)

describe("luv's loop", function()
    local uv = needs("luv", "lua-luv")
    if not uv then return end

    -- The end of a test, come what may.
    local function bounded()
        local clock = uv.new_timer()
        clock:start(PATIENCE * 1000, 0, function() uv.stop() end)
        return clock
    end

    with_rings("waits there, beside others' sockets", function(ring)
        local server = uv.new_tcp()
        server:bind("127.0.0.1", 0)
        server:listen(16, function()
            local connection = uv.new_tcp()
            server:accept(connection)
            connection:read_start(function(_, data)
                if not data then return connection:close() end
                connection:write((data:gsub("\n", "!\n")))
            end)
        end)
        ADDRESS.port = server:getsockname().port
        local client = luring.tcp_connect(ADDRESS)
        local answers
        local poll, clock = uv.new_poll(luring.ring_fd(ring)), bounded()
        converse(ring, client, function(what)
            answers = what
            for _, handle in ipairs { poll, clock, server } do handle:close() end
            drive.close(client)
        end)
        poll:start("r", function()
            luring.do_cqes(ring)
            luring.submit(ring)
        end)
        luring.submit(ring)
        uv.run()
        assert.same(expected(), answers)
    end)

    -- Waits for a descriptor and calls do_cqes, until a pipe has been read.
    local function read_in_loop(ring, fd)
        local poll, clock, got = uv.new_poll(fd), bounded(), nil
        read_later(ring, function(data)
            got = data
            poll:close()
            clock:close()
        end)
        poll:start("r", function() luring.do_cqes(ring) end)
        uv.run()
        assert.equal("x", got)
    end

    with_rings("is woken by other processes", function(ring) read_in_loop(ring, luring.ring_fd(ring)) end)

    -- The ring's own descriptor would wake nobody.
    it("is woken by the eventfd of a ring that defers its work", function()
        local flags = luring.IORING_SETUP_DEFER_TASKRUN + luring.IORING_SETUP_SINGLE_ISSUER
        local made, ring = pcall(luring.queue_init, 8, flags)
        if not made then return pending(ring) end
        local event = luring.eventfd(0, luring.O_NONBLOCK)
        assert.equal(0, luring.register_eventfd(ring, event))
        read_in_loop(ring, event)
        luring.queue_exit(ring)
        drive.close(event)
    end)

    it("lends luring its sockets", function()
        local ring = luring.queue_init(8, 0)
        local server = uv.new_tcp()
        server:bind("127.0.0.1", 0)
        ADDRESS.port = server:getsockname().port
        local listening = false
        server:listen(16, function() listening = true end)
        local fd = luring.tcp_connect(ADDRESS)
        local clock = bounded()
        while not listening and clock:is_active() do uv.run("once") end
        local connection = uv.new_tcp()
        server:accept(connection)
        assert.equal(5, (drive.one(ring, "send", connection, "hello", 0)))
        assert.equal("hello", (select(2, drive.one(ring, "recv", fd, 100, 0))))
        for _, handle in ipairs { connection, server, clock } do handle:close() end
        uv.run()
        drive.close(fd)
        luring.queue_exit(ring)
    end)

    describe("with a loop of luring.co", function()
        local luv = require "luring.luv"

        local function handles()
            local n = 0
            uv.walk(function() n = n + 1 end)
            return n
        end

        -- Runs luv's loop until it ends by itself.
        local function run(attachment)
            local clock = bounded()
            clock:unref()
            uv.run()
            local late = not clock:is_active()
            clock:close()
            if late then attachment:detach() end
            uv.run()
            assert.is_false(late)
        end

        it("runs its tasks beside luv's callbacks, and ends with them", function()
            local before, log = handles(), {}
            local loop = co.loop()
            local attachment = luv.attach(loop)
            local server = uv.new_tcp()
            server:bind("127.0.0.1", 0)
            server:listen(16, function()
                local connection = uv.new_tcp()
                server:accept(connection)
                server:close()
                connection:read_start(function(_, data)
                    if not data then return connection:close() end
                    connection:write((data:gsub("\n", "!\n")))
                end)
            end)
            local port = server:getsockname().port
            loop:spawn(function()
                local stream = assert(co.connect("127.0.0.1", port))
                for n = 1, ROUNDS do
                    stream:write(n, "\n")
                    log[n] = stream:line() .. "\n"
                end
                stream:close()
            end)
            run(attachment)
            assert.same(expected(), log)
            assert.equal(before, handles())
        end)

        with_rings("waits for deadlines and for other processes, and does nothing meanwhile, on", function(ring)
            local loop = co.loop { ring = ring }
            local steps, step = 0, loop.step
            function loop.step(...)
                steps = steps + 1
                return step(...)
            end
            local from, to = luring.pipe2()
            local got, slept
            loop:spawn(function()
                got = co.io.read(from, 10, -1)
                local start = co.now()
                co.sleep(0.2)
                slept = co.now() - start
            end)
            local pid = luring.readlink("/proc/self")
            os.execute(("(sleep 0.1; printf x >/proc/%s/fd/%d) &"):format(pid, to))
            local attachment = luv.attach(loop)
            run(attachment)
            drive.close(from, to)
            assert.equal("x", got)
            assert.is_true(slept >= 0.2 and slept < 10, slept)
            assert.is_true(steps < 40, steps)
        end)

        it("is woken by luv's callbacks, and by tasks that come when the others have ended", function()
            local loop, log = co.loop(), {}
            local attachment = luv.attach(loop)
            local event = co.event()
            loop:spawn(function()
                event:wait()
                log[#log + 1] = "set"
            end)
            local timer, other = uv.new_timer(), uv.new_timer()
            timer:start(20, 0, function()
                event:set()
                timer:close()
            end)
            other:start(60, 0, function()
                log[#log + 1] = "idle"
                loop:spawn(function()
                    co.sleep(0.001)
                    log[#log + 1] = "spawned"
                end)
                other:close()
            end)
            run(attachment)
            assert.same({ "set", "idle", "spawned" }, log)
            loop:spawn(function()
                co.sleep(0.001)
                log[#log + 1] = "again"
            end)
            run(attachment)
            assert.equal("again", log[4])
        end)

        it("lets all go on that are ready", function()
            local loop, turns = co.loop(), 0
            local attachment = luv.attach(loop)
            loop:spawn(function()
                for _ = 1, 100 do
                    co.sleep(0)
                    turns = turns + 1
                end
            end)
            local start = luring.now()
            run(attachment)
            assert.equal(100, turns)
            assert.is_true(luring.now() - start < 10)
        end)

        it("gives the errors that nobody took", function()
            local loop, errors, done = co.loop(), {}, nil
            local attachment = luv.attach(loop, { on_error = function(err) errors[#errors + 1] = err end })
            local object = {}
            loop:spawn(error, object)
            loop:spawn(error, "second", 0)
            loop:spawn(function()
                co.sleep(0.01)
                done = true
            end)
            run(attachment)
            assert.equal(2, #errors)
            assert.equal(object, errors[1])
            assert.truthy(errors[2]:find("^second"), errors[2])
            assert.is_true(done)

            local named = "setmetatable({}, { __tostring = function() return 'an object' end })"
            for what, shown in pairs { ['"lost"'] = "lost", [named] = "an object" } do
                local result = child.run(([[
                    local loop = require("luring.co").loop()
                    require("luring.luv").attach(loop)
                    loop:spawn(error, %s, 0)
                    require("luv").run()
                ]]):format(what))
                assert.truthy(result.output:find("Uncaught Error: " .. shown, 1, true), result.output)
                assert.equal(255, result.status)
            end
        end)

        it("is left by detach, with the tasks as they are", function()
            local before, loop, done = handles(), co.loop(), nil
            local event = co.event()
            local attachment = luv.attach(loop)
            assert.is_false(pcall(luv.attach, loop))
            loop:spawn(function()
                event:wait()
                done = true
            end)
            local timer = uv.new_timer()
            timer:start(10, 0, function()
                timer:close()
                attachment:detach()
                attachment:detach()
            end)
            run(attachment)
            assert.equal(before, handles())
            loop:spawn(function() event:set() end)
            assert.equal(before, handles())
            while loop:step() do end
            assert.is_true(done)
            -- And comes back.
            attachment = luv.attach(loop)
            loop:spawn(function() done = 2 end)
            run(attachment)
            assert.equal(2, done)
        end)

        it("refuses a ring that would wake nobody", function()
            local flags = luring.IORING_SETUP_DEFER_TASKRUN + luring.IORING_SETUP_SINGLE_ISSUER
            local made, ring = pcall(luring.queue_init, 8, flags)
            if not made then return pending(ring) end
            local ok, why = pcall(luv.attach, co.loop { ring = ring })
            luring.queue_exit(ring)
            assert.is_false(ok)
            assert.truthy(why:find("wakes no loop", 1, true), why)
        end)
    end)
end)
