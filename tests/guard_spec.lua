local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

-- Each case has a Lua state of its own, which is closed in the end.
local START = [[
local function finalizer(f)
    local newproxy = rawget(_G, "newproxy")
    if newproxy then
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = f
        return proxy
    end
    return setmetatable({}, { __gc = f })
end

-- Makes garbage, by `f`, where so much C stack is in use that at one depth or another Lua can't call its finalizer.
local function deep(n, f)
    if n == 0 then
        f()
        for _ = 1, 3 do collectgarbage() end
        return
    end
    string.gsub("x", "x", function() deep(n - 1, f) end)
end
local function at_depths(f) for n = 60, 200 do pcall(deep, n, f) end end
]]

local function ends_well(chunk)
    local result = child.run(START .. chunk)
    assert.equal("done", result.output)
    assert.equal(0, result.status)
end

describe("a ring's metatable", function()
    local ring
    before_each(function() ring = luring.queue_init(4, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("can't be had, but its name", function()
        assert.equal("luring", getmetatable(ring))
        assert.is_false(pcall(function() getmetatable(ring).__gc = nil end))
        assert.is_false(pcall(setmetatable, ring, {}))
    end)

    it("is what the registry has under that name", function()
        local metatable = debug.getregistry().luring
        assert.equal(metatable, debug.getmetatable(ring))
        assert.equal("function", type(metatable.__gc))
        assert.equal("luring", metatable.__name)
    end)
end)

describe("a Lua state that is closed", function()
    -- Closes a state that ran the chunk: whether all of its descriptors were.
    local function closes_all(chunk)
        local free = luring.open_file("/dev/null", "r")
        luring.close_fd(free)
        assert.is_nil(host.state(START .. chunk))
        local again = luring.open_file("/dev/null", "r")
        luring.close_fd(again)
        return free == again
    end

    it("ends a ring that a finalizer makes meanwhile", function()
        assert.is_true(closes_all([[
            local luring = require "luring"
            kept = finalizer(function() made = luring.queue_init(4, 0) end)
        ]]))
    end)

    it("makes no ring in a finalizer that is older than the module", function()
        local path = os.tmpname()
        assert.is_true(closes_all(([[
            local luring
            kept = finalizer(function()
                local file = io.open(%q, "w")
                local ok, message = pcall(luring.queue_init, 4, 0)
                file:write(tostring(ok), " ", message, " ", (tostring(select(2, pcall(luring.submit, ring)))))
                file:close()
            end)
            luring = require "luring"
            ring = luring.queue_init(4, 0)
        ]]):format(path)))
        local said = child.contents(path)
        os.remove(path)
        assert.truthy(said:find("^false .*could not initialise queue: Operation canceled "
            .. "%(the Lua state is being closed%)"), said)
        assert.truthy(said:find("the ring has been exited", 1, true), said)
    end)

    it("ends a ring that is made after a collection in a finalizer", function()
        assert.is_true(closes_all([[
            local luring = require "luring"
            kept = finalizer(function()
                for _ = 1, 5 do collectgarbage() end
                pcall(function() made = luring.queue_init(4, 0) end)
                for _ = 1, 5 do collectgarbage() end
                pcall(function() made = luring.queue_init(4, 0) end)
            end)
            -- Lua 5.3 may never return from the above if it is in a collection already.
            collectgarbage()
            collectgarbage("stop")
        ]]))
    end)

    it("ends the rings of a module that is loaded twice", function()
        assert.is_true(closes_all([[
            local one = require "luring"
            package.loaded.luring = nil
            local other = require "luring"
            assert(one ~= other)
            kept = finalizer(function() made = { one.queue_init(4, 0), other.queue_init(4, 0) } end)
        ]]))
    end)

    it("leaves no string that the kernel reads on", function()
        local one, other = luring.socketpair()
        assert.is_nil(host.state(START .. ([[
            local luring = require "luring"
            kept = finalizer(function()
                made = luring.queue_init(4, 0)
                -- Strings in the heap, whose memory is used again.
                for _ = 1, 4 do luring.send(made, %d, ("x"):rep(100000), luring.MSG_WAITALL) end
                luring.submit(made)
            end)
        ]]):format(one)))
        local garbage = {}
        for i = 1, 100 do garbage[i] = tostring(i % 10):rep(100000) end
        local ring, foreign = luring.queue_init(4, 0), nil
        repeat
            local bytes, text = drive.one(ring, "recv", other, 2 ^ 20, luring.MSG_DONTWAIT)
            foreign = foreign or text:match("[^x]")
        until bytes <= 0
        luring.queue_exit(ring)
        drive.close(one, other)
        assert.equal(100, #garbage)
        assert.is_nil(foreign)
    end)
end)

describe("what finalizers make while a Lua state is closed", function()
    -- How many KiB more are mapped when such states have come and gone. A checker has memory of its own, and
    -- finds what is lost itself.
    local function gained(chunk)
        assert.is_nil(host.state(START .. chunk))
        collectgarbage()
        local before = drive.mapped()
        for _ = 1, 30 do assert.is_nil(host.state(START .. chunk)) end
        return child.wrapper == "" and drive.mapped() - before or 0
    end

    for what, make in pairs {
        ["a buffer"] = [[made = luring.buffer(2^20)]],
        ["a shared buffer"] = [[made = luring.buffer(2^20, { shared = true })]],
        ["a view of one that is garbage"] = [[made = luring.buffer(2^20):view(2)]],
        ["one that a coroutine of a finalizer makes"] = [[
            coroutine.wrap(function()
                made = luring.buffer(2^20)
                coroutine.yield()
            end)()
        ]],
        ["a group"] = [[
            ring = luring.queue_init(2, 0)
            made = luring.buf_ring(ring, 16, 65536)
        ]],
        ["a view that a completion brings"] = [[
            luring.recv(ring, one, group, 0, function(cqe, _, view)
                made = view
                luring.cqe_seen(ring, cqe)
            end)
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
            assert(made:sub() == "hello")
        ]],
    } do
        it("is finalized: " .. what, function()
            if make:find("group", 1, true) and not luring.can "buf_ring" then
                return pending("no rings of buffers here")
            end
            local kib = gained([[
                local luring = require "luring"
                local ring = luring.queue_init(4, 0)
                local group = luring.can "buf_ring" and luring.buf_ring(ring, 16, 65536)
                local one, other = luring.socketpair()
                luring.send(ring, other, "hello", 0)
                luring.submit(ring)
                if group then group:manual(true) end
                kept = finalizer(function()
                    ]] .. make .. [[
                    luring.close_fd(one)
                    luring.close_fd(other)
                end)
            ]])
            assert.is_true(kib < 4000, kib .. " KiB more")
        end)
    end

    it("is finalized where a finalizer could not be called, for want of C stack", function()
        local kib = gained [[
            local luring = require "luring"
            at_depths(function() luring.buffer(2^20) end)
        ]]
        assert.is_true(kib < 4000, kib .. " KiB more")
    end)

    it("is not used when its finalizer runs in the midst of a call, which is an error then", function()
        ends_well([[
            local luring = require "luring"
            ring = luring.queue_init(4, 0)
            local socket = luring.socket_fd(luring.AF_UNIX, luring.SOCK_DGRAM)
            local buffer = luring.buffer(4096)
            local function is_gone() return not pcall(buffer.sub, buffer, 1, 1) end
            -- On Lua 5.1 and LuaJIT each step finalizes one object more, the youngest first.
            local address = setmetatable({}, { __index = function(_, field)
                for _ = 1, 1e5 do
                    if is_gone() then break end
                    collectgarbage("step", 0)
                end
                return field == "family" and luring.AF_UNIX or "/nobody"
            end })
            last = finalizer(function()
                pcall(collectgarbage, "setstepmul", 1)
                local ok, message = pcall(luring.sendto, ring, socket, buffer, 0, address)
                assert(ok ~= is_gone(), message)
                local wanted = _VERSION == "Lua 5.1" and "the buffer has been collected" or ""
                assert(tostring(message):find(wanted, 1, true), message)
                luring.queue_exit(ring)
                io.write("done")
            end)
        ]])
    end)

    it("is refused in a finalizer that is older than the module, and what was made is no more", function()
        ends_well([[
            local luring
            kept = finalizer(function()
                local ok, message = pcall(luring.buffer, 10)
                assert(not ok and message:find("the Lua state is being closed", 1, true), message)
                ok, message = pcall(made.sub, made)
                assert(not ok and message:find("the buffer has been collected", 1, true), message)
                io.write("done")
            end)
            luring = require "luring"
            other = finalizer(function() made = luring.buffer(10) end)
        ]])
    end)
end)

describe("the module, loaded where there is no C stack left", function()
    it("leaves the program its hooks", function()
        ends_well([[
            local open
            for place in package.cpath:gmatch("[^;]+") do
                open = open or package.loadlib((place:gsub("%?", "luring")), "luaopen_luring")
            end
            local function hook() end
            debug.sethook(hook, "l")
            for n = 300, 1, -1 do
                for _, load in ipairs { open, function() open() end } do
                    local function nested(depth)
                        if depth == 0 then return string.gsub("x", "x", load) end
                        string.gsub("x", "x", function() nested(depth - 1) end)
                    end
                    local loaded = pcall(nested, n)
                    local now, mask = debug.gethook()
                    assert(now == hook and mask == "l", mask)
                    if loaded then return io.write("done") end
                end
            end
        ]])
    end)
end)

describe("a finalizer that loads the module first", function()
    -- A coroutine of its passes for none before Lua 5.4.4.
    it("while it is being loaded leaves the program one that guards its rings", function()
        for n = 1, 12 do
            ends_well(([[
                local open
                for place in package.cpath:gmatch("[^;]+") do
                    open = open or package.loadlib((place:gsub("%%?", "luring")), "luaopen_luring")
                end
                local calls, inner, armed = 0, nil, true
                local function load()
                    calls = calls + 1
                    if calls == %d then
                        armed = false
                        coroutine.wrap(function() inner = select(2, pcall(open().queue_init, 4, 0)) end)()
                    end
                    if armed then finalizer(load) end
                end
                finalizer(load)
                pcall(collectgarbage, "setpause", 0)
                pcall(collectgarbage, "setstepmul", 1000000)
                collectgarbage()
                local luring = open()
                armed = false
                for _ = 1, 3 do collectgarbage() end
                if type(inner) == "userdata" then luring.nop(inner) end
                luring.queue_exit(luring.queue_init(4, 0))
                if type(inner) == "userdata" then luring.queue_exit(inner) end
                io.write("done")
            ]]):format(n))
        end
    end)

    it("leaves the program its hooks, and its rings", function()
        ends_well([[
            local loaded, ok
            finalizer(function()
                loaded = require "luring"
                ok = pcall(loaded.queue_init, 4, 0)
            end)
            local lines = 0
            debug.sethook(function() lines = lines + 1 end, "l")
            for _ = 1, 3 do collectgarbage() end
            assert(loaded and not ok)
            local before = lines
            loaded.queue_exit(loaded.queue_init(4, 0))
            local _, mask = debug.gethook()
            assert(lines > before and mask == "l", mask)
            io.write("done")
        ]])
    end)
end)

describe("a process that ends", function()
    it("may call the module in a finalizer that is older", function()
        ends_well([[
            local luring
            kept = finalizer(function() io.write(luring.strerror(0) ~= "" and "done" or "wrong") end)
            luring = require "luring"
        ]])
    end)

    it("may make a ring in a finalizer, and use it", function()
        ends_well([[
            local luring = require "luring"
            kept = finalizer(function()
                local from = luring.pipe2()
                made = luring.queue_init(4, 0)
                luring.read(made, from, 100, -1, print)
                luring.submit(made)
                io.write("done")
            end)
        ]])
    end)

    it("may load the module in a finalizer, and makes no ring", function()
        ends_well([[
            kept = finalizer(function()
                local luring = require "luring"
                local ok, message = pcall(luring.queue_init, 4, 0)
                local said = not ok and message:find("a finalizer was the first to load luring", 1, true)
                io.write(said and "done" or tostring(message))
            end)
        ]])
    end)

    it("may have a ring whose finalizer can't be called, for want of C stack", function()
        ends_well([[
            local luring = require "luring"
            local keep = luring.queue_init(2, 0)
            at_depths(function() luring.queue_init(2, 0) end)
            for _ = 1, 3 do collectgarbage() end
            -- What Lua has freed is filled with something else.
            local others = {}
            for i = 1, 1000 do others[i] = ("x"):rep(40 + i % 100) end
            luring.queue_exit(keep)
            local again = luring.queue_init(2, 0)
            luring.queue_exit(again)
            io.write(#others == 1000 and "done" or "")
        ]])
    end)
end)
