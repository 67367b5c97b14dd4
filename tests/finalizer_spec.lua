local luring = require "luring"
local drive = require "drive"

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
