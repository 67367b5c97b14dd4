local luring = require "luring"
local drive = require "drive"
local child = require "child"

-- Finalizers run wherever Lua makes an object: also while do_cqes makes a result.
local SIZES = { 0, 10, 5000, 100000 }

local function hurry(f)
    local pause = collectgarbage("count") and pcall(collectgarbage, "setpause", 0)
    if not pause then collectgarbage("param", "pause", 0) end
    pcall(collectgarbage, "setstepmul", 10000)
    local ok, message = pcall(f)
    if pause then
        collectgarbage("setpause", 200)
        pcall(collectgarbage, "setstepmul", 200)
    else
        collectgarbage("param", "pause", 200)
    end
    if not ok then error(message, 0) end
end

local zeros = luring.open_file("/dev/zero", "r")

-- Reads `size` bytes again and again, with finalizers about that call `act(ring, cqe)`.
local function hammer(size, act, rounds)
    local state = { calls = 0, finalized = 0 }
    hurry(function()
        for _ = 1, rounds do
            local ring = luring.queue_init(8, 0)
            local last
            local function garbage()
                drive.finalizer(function()
                    state.finalized = state.finalized + 1
                    pcall(act, ring, last)
                end)
            end
            for _ = 1, 8 do
                pcall(luring.read, ring, zeros, size, 0, function(cqe, res, result)
                    last = cqe
                    state.calls = state.calls + 1
                    if res < 0 or result ~= ("\0"):rep(res) then state.wrong = true end
                    for _ = 1, 5 do garbage() end
                    if state.calls % 2 == 0 then pcall(luring.cqe_seen, ring, cqe) end
                end)
            end
            for _ = 1, 5 do garbage() end
            -- Errors: a finalizer has exited the ring, or has raised itself.
            pcall(luring.submit_and_wait, ring, 1)
            for _ = 1, 20 do pcall(luring.do_cqes, ring) end
            luring.queue_exit(ring)
        end
        drive.collect()
    end)
    assert.is_nil(state.wrong)
    assert.is_true(state.finalized > 0)
    return state
end

describe("a finalizer that runs in do_cqes", function()
    local acts = {
        queue_exit = function(ring) luring.queue_exit(ring) end,
        cqe_seen = function(ring, cqe) luring.cqe_seen(ring, cqe) end,
        do_cqes = function(ring) luring.do_cqes(ring) end,
        read = function(ring) luring.read(ring, zeros, 5000, 0) end,
        error = function() error("in a finalizer") end,
        ["cqe_seen, then queue_exit"] = function(ring, cqe)
            luring.cqe_seen(ring, cqe)
            luring.queue_exit(ring)
        end,
        ["cqe_seen, then read and submit"] = function(ring, cqe)
            luring.cqe_seen(ring, cqe)
            luring.read(ring, zeros, 100000, 0)
            luring.submit_and_wait(ring, 1)
        end,
    }
    for name, act in pairs(acts) do
        for _, size in ipairs(SIZES) do
            it(("may call %s, with results of %d bytes"):format(name, size), function()
                hammer(size, act, 20)
            end)
        end
    end
end)

describe("a finalizer that ends the ring while it gets a handler", function()
    it("makes the call an error, and leaves no handler anywhere", function()
        local handler = setmetatable({}, { __call = function() end })
        for n = 1, 3 do
            local ring = luring.queue_init(4, 0)
            local ok, message = drive.ambush(n, function() luring.queue_exit(ring) end, function(owe)
                owe()
                luring.on_message(ring, handler)
            end)
            if not ok then assert.truthy(message:find("the ring has been exited", 1, true), message) end
            luring.queue_exit(ring)
            assert.is_nil(rawget(_G, "message"))
        end
    end)
end)

-- What follows runs in processes of its own: where it goes wrong, memory is used that is gone.

local ARGUMENTS = [[
local luring = require "luring"
local drive = require "drive"
local callable = setmetatable({}, { __call = function() end })
local reached, wrong = 0, 0
for n = 1, 6 do
    local ring = luring.queue_init(4, 0)
    local action, argument, callback = luring.%s, %s, %s
    local ended, before, after = false, nil, nil
    local ok, message = drive.ambush(n, function()
        ended = true
        luring.queue_exit(ring)
    end, function(owe)
        owe()
        before = ended
        action(ring, 1, argument, 0, callback)
        after = ended
    end)
    if ok then
        if after then wrong = wrong + 1 end -- it has ended, and the action was queued all the same
    else
        assert(message:find("the ring has been exited", 1, true), message)
        if not before then reached = reached + 1 end
    end
    luring.queue_exit(ring)
end
print(reached > 0, wrong)
]]

describe("a finalizer that ends the ring while an action's arguments are looked at", function()
    local cases = {
        { "a number as content", "write", "0.5", "nil" },
        { "a callable table", "read", "1", "callable" },
        { "both", "write", "0.5", "callable" },
    }
    for _, case in ipairs(cases) do
        it("makes the call an error: " .. case[1], function()
            local result = child.run(ARGUMENTS:format(case[2], case[3], case[4]))
            -- LuaJIT doesn't collect when it looks for __call.
            local reached = case[3] == "0.5" or not rawget(_G, "jit")
            assert.equal(tostring(reached) .. "\t0\n", result.output)
            assert.equal(0, result.status)
        end)
    end
end)

-- A buffer of 40 MiB is unmapped as soon as it is freed, and one of 100000 bytes is the next
-- read's.
local LARGE = [[
local luring = require "luring"
local drive = require "drive"
local SIZE = %d
local function text(i) return ("%%04d"):format(i):rep(2048) end
local path = os.tmpname()
local file = io.open(path, "wb")
for i = 1, 8 do file:write(text(i)) end
file:close()
local fd = luring.open_file(path, "r")
os.remove(path)

-- Eight at once, so that a buffer that is two actions' is seen.
local right, wrong = 0, 0
local function read_eight(ring)
    for i = 1, 8 do
        assert(luring.read(ring, fd, SIZE, (i - 1) * #text(i), function(cqe, _, result)
            luring.cqe_seen(ring, cqe)
            if result:sub(1, #text(i)) == text(i) then right = right + 1 else wrong = wrong + 1 end
        end))
    end
    luring.submit_and_wait(ring, 8)
end

local reached = 0
for n = 1, 8 do
    local ring = luring.queue_init(16, 0)
    local cqe, again
    luring.read(ring, fd, SIZE, 0, function(got, _, result)
        if result:sub(1, #text(1)) ~= text(1) then wrong = wrong + 1 end
        if cqe then return luring.cqe_seen(ring, cqe) end
        cqe = got
        error("again", 0)
    end)
    luring.submit_and_wait(ring, 1)
    while not cqe do pcall(luring.do_cqes, ring) end
    drive.ambush(n, function()
        reached = reached + 1
        %s
    end, function(owe)
        owe()
        luring.do_cqes(ring)
    end)
    if not pcall(luring.submit, ring) then ring = luring.queue_init(16, 0) end
    luring.do_cqes(ring)
    right = 0
    read_eight(ring)
    luring.do_cqes(ring)
    if right ~= 8 then wrong = wrong + 1 end
    luring.queue_exit(ring)
end
print(reached > 0, wrong)
]]

describe("a finalizer that runs while a large result is made", function()
    local acts = {
        ["end its completion"] = "luring.cqe_seen(ring, cqe)",
        ["end its completion and read"] = "luring.cqe_seen(ring, cqe) read_eight(ring)",
        ["end the ring"] = "luring.queue_exit(ring)",
        ["call do_cqes"] = "luring.do_cqes(ring)",
    }
    for what, act in pairs(acts) do
        for _, size in ipairs { 100000, 40 * 2 ^ 20 } do
            it(("may %s: %d bytes"):format(what, size), function()
                local result = child.run(LARGE:format(size, ("pcall(function() %s end)"):format(act)))
                assert.equal("true\t0\n", result.output)
                assert.equal(0, result.status)
            end)
        end
    end
end)

-- What a completion brings besides its result stands in memory that is lent meanwhile.
local MESSAGE = [[
local luring = require "luring"
local drive = require "drive"
local reached, lost = 0, 0
for n = 1, 12 do
    local before = drive.descriptors()
    local ring = luring.queue_init(4, 0)
    local one, other = luring.socketpair()
    luring.sendmsg(ring, one, { data = "x", fds = { one, one } }, 0)
    luring.recvmsg(ring, other, { size = 100, control = 64 }, 0, function(cqe, _, message)
        drive.close(message.fds[1], message.fds[2]) -- before what raises where the ring has ended
        luring.cqe_seen(ring, cqe)
    end)
    luring.submit_and_wait(ring, 2)
    drive.ambush(n, function()
        reached = reached + 1
        luring.queue_exit(ring)
    end, function(owe)
        owe()
        luring.do_cqes(ring)
    end)
    luring.queue_exit(ring)
    drive.close(one, other)
    lost = lost + drive.descriptors() - before
end
print(reached > 0, lost)
]]

describe("a finalizer that runs while a message's table is made", function()
    it("may end the ring: the descriptors that came are closed", function()
        local result = child.run(MESSAGE)
        assert.equal("true\t0\n", result.output)
        assert.equal(0, result.status)
    end)
end)

describe("a finalizer that runs while a view is made", function()
    it("may have the same completion delivered: it brings one view", function()
        local views = {}
        for n = 1, 4 do
            local ring = luring.queue_init(8, 0)
            local one, other = luring.socketpair()
            local group = luring.buf_ring(ring, 1, 64, 0)
            if type(group) == "number" then return pending("this kernel has no groups") end
            group:manual(true)
            luring.send(ring, one, "data", 0)
            luring.recv(ring, other, group, 0, function(cqe, _, view)
                views[#views + 1] = view
                if #views == 1 then error("again", 0) end
                luring.cqe_seen(ring, cqe)
            end)
            luring.submit_and_wait(ring, 2)
            drive.ambush(n, function() pcall(luring.do_cqes, ring) end, function(owe)
                owe()
                luring.do_cqes(ring)
            end)
            pcall(luring.do_cqes, ring)
            assert.equal(2, #views)
            assert.is_true(rawequal(views[1], views[2]))
            group:give(views[1])
            assert.equal(1, group:available())
            views = {}
            luring.queue_exit(ring)
            drive.close(one, other)
        end
    end)
end)

describe("a finalizer that runs while a view's method is called", function()
    local methods = {
        set = function(view) view:set(1, 0.5) end,
        find = function(view) return view:find(0.5) end,
    }
    for name, method in pairs(methods) do
        it("may give the view back: an error, and not what is the kernel's: " .. name, function()
            local ring = luring.queue_init(8, 0)
            local one, other = luring.socketpair()
            local group = luring.buf_ring(ring, 1, 64, 0)
            if type(group) == "number" then return pending("this kernel has no groups") end
            group:manual(true)
            local wrong = 0
            for n = 1, 3 do
                luring.send(ring, one, "data", 0)
                local view = select(2, drive.one(ring, "recv", other, group, 0))
                local before, after
                local ok, message = drive.ambush(n, function()
                    group:give(view)
                    after = true
                end, function(owe)
                    owe()
                    before = after
                    method(view)
                    if after and not before then wrong = wrong + 1 end
                end)
                if not ok then assert.truthy(message:find("gone back", 1, true), message) end
                if not after then group:give(view) end
            end
            assert.equal(0, wrong)
            luring.queue_exit(ring)
            drive.close(one, other)
        end)
    end
end)

-- The first object of a kind makes the kind's type: there must be one, or an object would have memory
-- that goes with the other.
local FIRST = [[
local drive = require "drive"
local luring = require "luring"
local ring = luring.queue_init(4, 0)
local kinds = {
    buffer = function() return luring.buffer(64) end,
    buf_ring = function() return ring:buf_ring(1, 64) end,
}
local inner, outer
assert(drive.ambush(%d, function() inner = kinds.%s() end, function(owe)
    owe()
    outer = kinds.%s()
end))
print(inner == nil or debug.getmetatable(inner) == debug.getmetatable(outer), inner ~= nil)
]]

describe("a finalizer that runs while the first object of its kind is made", function()
    for _, kind in ipairs { "buffer", "buf_ring" } do
        it("may make one: both are of one type: " .. kind, function()
            local reached = 0
            for n = 1, 6 do
                local result = child.run(FIRST:format(n, kind, kind))
                assert.truthy(result.output:find("^true"), result.output)
                assert.equal(0, result.status)
                if result.output:find("true\ttrue") then reached = reached + 1 end
            end
            assert.is_true(reached > 1)
        end)
    end
end)

-- What has come can't be delivered then, and there is nothing else to wait for.
local RUN = [[
local luring = require "luring"
local drive = require "drive"
local told, busy = {}, 0
for n = 1, 6 do
    local ring = luring.queue_init(4, 0)
    luring.statx(ring, luring.AT_FDCWD, "/", 0, luring.STATX_BASIC_STATS, function(cqe, _, stat)
        told[n] = stat.stx_mode
        luring.cqe_seen(ring, cqe)
    end)
    luring.submit_and_wait(ring, 1)
    drive.ambush(n, function()
        if luring.run(ring) == -luring.EBUSY then busy = busy + 1 end
    end, function(owe)
        owe()
        luring.do_cqes(ring)
    end)
    luring.queue_exit(ring)
end
print(#told, busy > 0)
]]

describe("a finalizer that runs while the value of a completion is made", function()
    it("may not wait in run for what it keeps from being delivered", function()
        local result = child.run(RUN)
        assert.equal("6\ttrue\n", result.output)
        assert.equal(0, result.status)
    end)
end)
