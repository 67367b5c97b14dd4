local child = require "child"
package.path = child.support .. "../misuse/?.lua;" .. package.path
local judge = require "judge"
local programs = require "programs"

-- What ends the C module's process, each in a process of its own here.
local START = [[
local luring = require "luring"
local ring = luring.queue_init(8, 0)
local from, to = luring.pipe2()
local function turn()
    luring.submit_and_wait(ring, 1)
    local result = luring.do_cqes(ring)
    return result
end
local function refused(f, ...)
    local ok, message = pcall(f, ...)
    assert(not ok and type(message) == "string" and message:find("bad argument", 1, true), message)
end
]]

local PROGRAMS = {
    ["using a ring after queue_exit"] = [[
        luring.queue_exit(ring)
        refused(luring.submit, ring) refused(luring.submit_and_wait, ring, 0) refused(luring.do_cqes, ring)
        refused(luring.read, ring, from, 1, -1) refused(luring.write, ring, to, "x", -1)
        refused(luring.recv, ring, from, 1, 0) refused(luring.send, ring, to, "x", 0)
        refused(luring.accept, ring, from, 0) refused(luring.cqe_seen, ring, nil)]],
    ["collecting a ring after queue_exit"] = [[
        luring.queue_exit(ring) luring.queue_exit(ring)
        ring = nil
        for _ = 1, 5 do collectgarbage() end]],
    ["queue_exit in a callback"] = [[
        local called = 0
        for _ = 1, 3 do
            luring.write(ring, to, "x", -1, function(cqe)
                called = called + 1
                luring.queue_exit(ring)
                refused(luring.cqe_seen, ring, cqe)
            end)
        end
        luring.submit_and_wait(ring, 3)
        assert(luring.do_cqes(ring) == -11 and called == 1)]],
    ["cqe_seen with nil"] = [[
        luring.write(ring, to, "x", -1, function(cqe)
            refused(luring.cqe_seen, ring, nil) refused(luring.cqe_seen, ring)
            luring.cqe_seen(ring, cqe)
        end)
        turn()]],
    ["cqe_seen twice"] = [[
        luring.write(ring, to, "x", -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            refused(luring.cqe_seen, ring, cqe)
        end)
        turn()]],
    ["cqe_seen on another ring"] = [[
        local other = luring.queue_init(8, 0)
        luring.write(ring, to, "x", -1, function(cqe)
            refused(luring.cqe_seen, other, cqe)
            luring.cqe_seen(ring, cqe)
        end)
        turn()]],
    ["cqe_seen with any number"] = [[
        local key = luring.read(ring, from, 1, -1)
        refused(luring.cqe_seen, ring, key)]],
    ["__gc by hand, and on what is no ring"] = [[
        local gc = debug.getmetatable(ring).__gc
        gc(ring) gc(ring)
        for _, wrong in ipairs { 1, "x", {}, print, io.stdout, true } do refused(gc, wrong) end
        refused(gc)
        refused(luring.submit, ring)]],
    ["a ring's metatable on another userdata"] = [[
        local other = io.tmpfile()
        local before = debug.getmetatable(other)
        debug.setmetatable(other, debug.getmetatable(ring))
        refused(luring.submit, other) refused(luring.queue_exit, other) refused(tostring, other)
        debug.setmetatable(other, before)]],
    ["exit with actions in flight"] = [[
        for _ = 1, 8 do luring.read(ring, from, 100000, -1, print) end
        luring.submit(ring)]],
    ["os.exit with actions in flight"] = [[
        for _ = 1, 8 do luring.read(ring, from, 100000, -1, print) end
        luring.submit(ring)
        os.exit(0, true)]],
    ["os.exit in a callback"] = [[
        luring.read(ring, from, 100000, -1, print)
        luring.write(ring, to, "x", -1, function() os.exit(0, true) end)
        turn()]],
}

describe("without a crash", function()
    for name, program in pairs(PROGRAMS) do
        it(name, function()
            local result = child.run(START .. program)
            assert.equal("", result.output)
            assert.equal(0, result.status)
        end)
    end

    -- Those that the C module can be put through too: `make check-misuse`.
    for _, name in ipairs(programs) do
        it(name, function()
            local verdict, said = judge.run(name)
            assert.equal("ok", verdict, said)
        end)
    end

    it("an error in a callback that nobody catches ends the program with its traceback", function()
        local result = child.run(START .. [[
            luring.read(ring, from, 100000, -1, print)
            luring.write(ring, to, "x", -1, function() error("on purpose") end)
            turn()]])
        assert.equal(1, result.status)
        assert.truthy(result.output:find("on purpose", 1, true), result.output)
        assert.truthy(result.output:find("do_cqes", 1, true), result.output)
    end)
end)

describe("the judge of misuses", function()
    it("knows one end from another", function()
        for text, expected in pairs {
            [""] = { "ok", "" },
            ["wrong('bytes')"] = { "wrong", "bytes" },
            ["leak('memory')"] = { "leak", "memory" },
            ["error('spurious', 0)"] = { "wrong", "spurious" },
            ["print 'noise'"] = { "wrong", "noise" },
            ["local pid = contents('/proc/self/stat'):match('^%d+') os.execute('kill -ABRT ' .. pid)"] =
                { "crash", "signal 6" },
        } do
            programs.mine = text
            local verdict, said = judge.run("mine")
            assert.equal(expected[1], verdict, text)
            assert.truthy(said:find(expected[2], 1, true), said)
        end
        assert.equal("hang", (judge.verdict { status = 124, output = "" }))
    end)
end)
