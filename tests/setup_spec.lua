local luring = require "luring"
local drive = require "drive"

-- Flags of io_uring_setup that change how the queues are laid out, or when completions come. Not
-- every liburing has a name for each.
local SUBMIT_ALL, COOP_TASKRUN, TASKRUN_FLAG = 0x80, 0x100, 0x200
local SQE128, CQE32, SINGLE_ISSUER, DEFER_TASKRUN = 0x400, 0x800, 0x1000, 0x2000

local SETUPS = {
    { "no flags", 0 },
    { "SUBMIT_ALL", SUBMIT_ALL },
    { "COOP_TASKRUN", COOP_TASKRUN },
    { "COOP_TASKRUN and TASKRUN_FLAG", COOP_TASKRUN + TASKRUN_FLAG },
    { "SQE128", SQE128 },
    { "CQE32", CQE32 },
    { "SQE128 and CQE32", SQE128 + CQE32 },
    { "SINGLE_ISSUER", SINGLE_ISSUER },
    { "DEFER_TASKRUN", SINGLE_ISSUER + DEFER_TASKRUN },
    { "DEFER_TASKRUN, SQE128 and CQE32", SINGLE_ISSUER + DEFER_TASKRUN + SQE128 + CQE32 },
    { "SQPOLL", luring.IORING_SETUP_SQPOLL },
}

describe("queue_init", function()
    it("leaves it to the kernel whether a flag that liburing names is right", function()
        for _, name in ipairs {
            "IOPOLL", "SQPOLL", "SQ_AFF", "CQSIZE", "CLAMP", "ATTACH_WQ", "SUBMIT_ALL", "COOP_TASKRUN", "TASKRUN_FLAG",
            "SQE128", "CQE32", "SINGLE_ISSUER", "DEFER_TASKRUN", "NO_SQARRAY",
        } do
            local flag = luring["IORING_SETUP_" .. name]
            if flag then
                local ok, result = pcall(luring.queue_init, 4, flag)
                if ok then luring.queue_exit(result) else assert.is_nil(result:find("not known", 1, true), name) end
            end
        end
    end)
end)

-- A send never waits for the kernel's workers: what was sent has completed with its submit.
local ENTRIES, COMPLETIONS = 4, 8

for _, setup in ipairs(SETUPS) do
    describe("a ring with " .. setup[1], function()
        local ring, one, other
        before_each(function()
            local ok, result = pcall(luring.queue_init, ENTRIES, setup[2])
            if not ok then
                assert.truthy(result:find("Invalid argument", 1, true), result)
                ring = nil
                return
            end
            ring, one, other = result, luring.socketpair()
        end)
        after_each(function()
            if not ring then return end
            luring.queue_exit(ring)
            drive.close(one, other)
        end)

        local function with_ring(name, f)
            it(name, function()
                if not ring then return pending("not here: " .. setup[1]) end
                f()
            end)
        end

        with_ring("runs each action that is queued, with its own result", function()
            for round = 1, 5 do
                local sent, got, expected = {}, {}, {}
                assert.is_true(luring.reserve(ring, ENTRIES)) -- the kernel's thread gives room a little later
                for i = 1, ENTRIES do
                    assert.truthy(luring.send(ring, one, ("%d"):format(i):rep(i), 0, function(cqe, res)
                        sent[i] = res
                        luring.cqe_seen(ring, cqe)
                    end))
                    expected[i] = i
                end
                drive.turn(ring, ENTRIES)
                assert.same(expected, sent, round)
                assert.is_true(luring.reserve(ring, ENTRIES))
                for i = 1, ENTRIES do
                    assert.truthy(luring.recv(ring, other, i, 0, function(cqe, _, result)
                        got[i] = result
                        luring.cqe_seen(ring, cqe)
                    end))
                    expected[i] = ("%d"):format(i):rep(i)
                end
                drive.turn(ring, ENTRIES)
                assert.same(expected, got, round)
            end
        end)

        with_ring("ends with actions queued, in flight and completed", function()
            local kept = setmetatable({}, { __mode = "k" })
            local function queue(name, ...)
                local arguments = { ... }
                local function callback() return ring end
                kept[callback] = true
                arguments[#arguments + 1] = callback
                assert.truthy(luring[name](ring, (unpack or table.unpack)(arguments)))
            end
            for _ = 1, ENTRIES - 1 do queue("recv", other, 1000, 0) end
            queue("recv", -1, 1000, 0)
            assert.equal(ENTRIES, luring.submit_and_wait(ring, 1))
            queue("send", one, "never", 0)
            luring.queue_exit(ring)
            drive.collect()
            assert.is_nil(next(kept))
            local after = luring.queue_init(1, 0)
            assert.equal(-luring.EAGAIN, (drive.one(after, "recv", other, 10, luring.MSG_DONTWAIT)))
            luring.queue_exit(after)
        end)

        -- The thread of SQPOLL takes what is queued when it likes.
        if setup[2] == luring.IORING_SETUP_SQPOLL then return end

        with_ring("delivers what has come since its submit", function()
            local got
            luring.recv(ring, other, 10, 0, function(cqe, _, result)
                luring.cqe_seen(ring, cqe)
                got = result
            end)
            assert.equal(1, luring.submit(ring))
            assert.equal(-luring.EAGAIN, luring.do_cqes(ring))
            assert.is_nil(got)
            local feeder = luring.queue_init(1, 0)
            drive.one(feeder, "send", one, "later", 0)
            luring.queue_exit(feeder)
            assert.equal(-luring.EAGAIN, luring.do_cqes(ring))
            assert.equal("later", got)
        end)

        local called
        local function overflow()
            called = {}
            for i = 1, 3 * COMPLETIONS do
                assert.truthy(luring.send(ring, one, "x", 0, function(cqe)
                    called[#called + 1] = i
                    luring.cqe_seen(ring, cqe)
                end))
                if i % ENTRIES == 0 then assert.equal(ENTRIES, luring.submit(ring)) end
            end
        end

        with_ring("delivers the completions that its queue had no room for", function()
            for _ = 1, 2 do
                overflow()
                assert.equal(-luring.EAGAIN, luring.do_cqes(ring))
                local expected = {}
                for i = 1, 3 * COMPLETIONS do expected[i] = i end
                assert.same(expected, called)
            end
        end)

        with_ring("ends with such completions", function()
            overflow()
            luring.queue_exit(ring)
            assert.same({}, called)
        end)
    end)
end
