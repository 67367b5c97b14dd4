local child = require "child"
local host = require "host"
local shortage = require "shortage"

-- How many allocations fail in a row. After one, a Lua that collects and asks again has its memory; with
-- two it hasn't, but what cleans up has; with more, what cleans up may have none in the middle; and all that
-- follow may fail, until the program is told.
local SPANS = { once = 1, twice = 2, ["five times"] = 5, ["for good"] = 1000000000 }

-- Some LuaJITs take no allocator of a program's own.
local takes_allocators = host.starve("return function() end, function() end", 1, 1) ~= nil

describe("where Lua has no memory for one thing after the other,", function()
    if not takes_allocators then
        it("nothing is half done", function() pending("this interpreter takes no allocator") end)
        return
    end

    -- In a process of its own, which is ended if it hangs: what it says of these calls, of which there are
    -- as many and more.
    local function starve(chunk, span, step, enough)
        local result = child.run(([[
            local host = package.loadlib(%q, "luaopen_host")()
            local calls, err = host.starve(%q, %d, %d)
            io.write(tostring(err), calls > %d and "" or calls)
        ]]):format(host.path, chunk, span, step, enough))
        assert.equal("nil", result.output)
        assert.equal(0, result.status)
    end

    for how, span in pairs(SPANS) do
        it("a ring's actions are queued or not, and each ends once: it fails " .. how, function()
            starve(shortage.RING, span, 1, 100)
        end)

        it("tasks end, with that error or as ever: it fails " .. how, function()
            if rawget(_G, "jit") then return pending("LuaJIT crashes without memory for a coroutine's stack") end
            starve(shortage.TASKS, span, 3, 100)
        end)
    end

    it("what is seen before its callback is kept until that can be called", function()
        for how, span in pairs(SPANS) do
            local _, err = host.starve([[
                if jit then jit.off() end
                local luring = require "luring"
                local ring = luring.queue_init_params(4, { auto_seen = true })
                local one, other = luring.socketpair()
                local got, sent = { n = 0 }, 0
                -- It needs much of the stack, which the collector makes small again.
                local names = {}
                for i = 1, 180 do names[i] = "v" .. i end
                local callback = (loadstring or load)(
                    "local got = ... return function(_, _, data) got.n = got.n + #data local "
                    .. table.concat(names, ", ") .. " = data end")(got)
                local function begin()
                    collectgarbage()
                    luring.send(ring, other, "data", 0)
                    luring.recv(ring, one, 100, 0, callback)
                    luring.submit_and_wait(ring, 2)
                    sent = sent + 4
                end
                begin()
                return function() luring.do_cqes(ring) end, function(err)
                    luring.do_cqes(ring)
                    if got.n ~= sent then error(("%d of %d: %s"):format(got.n, sent, tostring(err)), 0) end
                    begin()
                end]], span, 1)
            assert.is_nil(err, how)
        end
    end)

    it("what is queued without memory of Lua's needs none for its key", function()
        -- Keys of many rings: LuaJIT lists their high bits.
        local _, err = host.starve([[
            if jit then jit.off() end
            local luring = require "luring"
            local rings, queued = {}, 0
            for i = 1, 64 do rings[i] = luring.queue_init(1, 0) end
            local nop, in_flight = luring.nop, luring.in_flight
            return function()
                for i = 1, 64 do
                    nop(rings[i])
                    queued = i
                end
            end, function(err)
                local count = 0
                for i = 1, 64 do count = count + in_flight(rings[i]) end
                for i = 1, 64 do luring.queue_exit(rings[i]) end
                if err or count ~= 64 or queued ~= 64 then
                    error(("%d in flight, %d queued: %s"):format(count, queued, tostring(err)), 0)
                end
            end]], SPANS["for good"], 1)
        assert.is_nil(err)
    end)

    it("the first buffer is made or not, and its kind with it", function()
        -- In registries that are full at one step or another.
        for fill = 0, 70 do
            local calls, err = host.starve(([[
                if jit then jit.off() end
                local luring = require "luring"
                for i = 1, %d do debug.getregistry()["filler" .. i] = true end
                local garbage = {}
                return function() luring.buffer(10) end, function(err)
                    if err ~= nil and not tostring(err):find("not enough memory", 1, true) then error(err, 0) end
                    collectgarbage()
                    -- What was given back is filled with something else.
                    for i = 1, 400 do garbage[i] = ("x"):rep(i) end
                end]]):format(fill), SPANS["for good"], 1)
            assert.is_nil(err, ("call %d: %s"):format(calls, tostring(err)))
        end
    end)

    it("the module is loaded or not, and what was to guard its rings ends none of a later load's", function()
        -- In registries that are full at one step or another.
        for fill = 0, 4 do
            for step = 100, 400 do
                local calls, err = host.starve(([[
                    if jit then jit.off() end
                    local open
                    for place in package.cpath:gmatch("[^;]+") do
                        open = open or package.loadlib((place:gsub("%%?", "luring")), "luaopen_luring")
                    end
                    for i = 1, %d do debug.getregistry()["filler" .. i] = true end
                    return function() open() end, function(err)
                        if err ~= nil and not tostring(err):find("not enough memory", 1, true) then error(err, 0) end
                        local luring = open()
                        local ring = luring.queue_init(4, 0)
                        collectgarbage()
                        luring.nop(ring)
                        luring.queue_exit(luring.queue_init(4, 0))
                        luring.queue_exit(ring)
                    end]]):format(fill), SPANS["for good"], step)
                assert.is_nil(err, ("%d fillers, allocation %d: %s"):format(fill, calls * step, tostring(err)))
            end
        end
    end)

    it("the module is loaded or not, and the next time it is", function()
        local calls, err = host.starve([[
            if jit then jit.off() end
            local function forget() package.loaded.luring, package.loaded["luring.co"] = nil, nil end
            local function load() require "luring.co" end
            return load, function(err)
                forget()
                if err ~= nil and not tostring(err):find("not enough memory", 1, true) then error(err, 0) end
                local luring, co = require "luring", require "luring.co"
                if co.run(function() return luring.in_flight(co.self().ring) end) ~= 0 then error("no ring", 0) end
                forget()
            end]], SPANS["for good"], 97)
        assert.is_nil(err, ("call %d: %s"):format(calls, tostring(err)))
        assert.is_true(calls > 10, calls)
    end)
end)
