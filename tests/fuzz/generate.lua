-- A random Lua program, from a seed: a line a statement.

local Dice = require "dice"
local values = require "values"
local rows = require "rows"

-- What waits, kills, or is called by the statements below. What is new is called at random.
local CAREFULLY = {}
for name in ("run do_cqes queue_init queue_init_params queue_exit submit submit_and_wait cqe_seen tcp_connect posix_spawn mknod"
    .. " pidfd_open pidfd_send_signal kill killpg waitid_now open_file buffer buf_ring sync_cancel stop chain link_timeout"):gmatch "%S+" do
    CAREFULLY[name] = true
end

local others = {}
do
    local is_row = {}
    for _, row in ipairs(rows) do is_row[row.name] = true end
    for name, value in pairs(require "luring") do
        if type(value) == "function" and not is_row[name] and not CAREFULLY[name] then others[#others + 1] = name end
    end
    table.sort(others)
end

-- What a program does most: so that much is in flight.
local OFTEN = {}
for name in ("read write recv send send_zc recvmsg sendmsg readv writev accept accept_multishot accept_from poll_add poll_multishot timeout"
    .. " pipe nop connect recv_multishot read_multishot splice statx"):gmatch "%S+" do
    OFTEN[name] = true
end
local often = {}
for _, row in ipairs(rows) do
    if OFTEN[row.name] then often[#often + 1] = row end
end

local FLAGS = { "0", "0", "0", "L.IORING_SETUP_SINGLE_ISSUER + L.IORING_SETUP_DEFER_TASKRUN", "L.IORING_SETUP_COOP_TASKRUN",
    "L.IORING_SETUP_SQE128", "L.IORING_SETUP_CQE32", "L.IORING_SETUP_SQPOLL", "L.IORING_SETUP_CLAMP", "L.IORING_SETUP_NO_SQARRAY" }

local statement

local function block(dice, depth, most)
    local lines = {}
    for i = 1, dice:roll(most) do lines[i] = statement(dice, depth) end
    return table.concat(lines, " ")
end

local function ring(dice) return ("R[%d]"):format(dice:weigh { { 6, 1 }, { 3, 2 }, { 1, 3 } }) end

local function callback(dice, depth)
    if dice:once(10) then return nil end
    if depth >= 2 or dice:once(3) then return ("C[%d]"):format(dice:roll(4)) end
    local seen = dice:weigh { { 8, "seen(ring, cqe)" }, { 2, "" }, { 1, "seen(ring, cqe) seen(ring, cqe)" } }
    local body = dice:once(2) and "" or block(dice, depth + 1, 2)
    if dice:once(2) then seen, body = body, seen end
    return ("callback(%d, function(ring, cqe) %s %s end)"):format(dice:roll(4), seen, body)
end

local function action(dice, depth)
    local row = dice:once(4) and dice:pick(rows) or dice:pick(often)
    local parts = values.arguments(dice, row)
    local last = callback(dice, depth)
    if last then parts[#parts + 1] = last end
    if dice:once(40) then table.remove(parts, dice:roll(#parts)) end
    return ("try(%q, %s)"):format(row.name, table.concat({ ring(dice), (table.unpack or unpack)(parts) }, ", "))
end

local kinds = {
    { 40, action },
    { 20, function(dice) return ("turn(%s)"):format(ring(dice)) end },
    { 6, function(dice) return ("try('submit', %s)"):format(ring(dice)) end },
    { 6, function(dice) return ("try('do_cqes', %s%s)"):format(ring(dice), dice:once(4) and ", 1" or "") end },
    { 2, function(dice) return ("pause(%d)"):format(dice:roll(3)) end },
    { 1, function(dice) return ("R[%d] = nil"):format(dice:roll(3)) end },
    { 1, function(dice) return ("try('queue_exit', %s)"):format(ring(dice)) end },
    { 3, function(dice)
        return ("R[%d] = ring(%s, %s)"):format(dice:roll(3), dice:pick { "1", "2", "8", "64", "0", "2^20" }, dice:pick(FLAGS))
    end },
    { 2, function(dice)
        return ("R[3] = try('queue_init_params', 8, { flags = %s, cq_entries = %s, sq_thread_idle = 1, auto_submit = %s, auto_seen = %s })")
            :format(dice:pick(FLAGS), dice:pick { "nil", "8", "16" }, dice:pick { "nil", "true" }, dice:pick { "nil", "true" })
    end },
    { 4, function(dice)
        return ("B[%d] = buffer(%s, %s)"):format(dice:roll(4), dice:pick { "1", "100", "5000", "100000", "0" },
            dice:pick { "nil", "nil", "{ shared = true }" })
    end },
    { 4, function(dice)
        local b = "B[" .. dice:roll(4) .. "]"
        return dice:pick {
            ("method(%s, 'sub', %d, -1)"):format(b, dice:roll(9)), ("method(%s, 'set', %d, ('z'):rep(%d))"):format(b, dice:roll(9), dice:roll(200)),
            ("method(%s, 'find', 'z')"):format(b), ("B[%d] = method(%s, 'view', %d, %d)"):format(dice:roll(4), b, dice:roll(50), dice:roll(900) - 450),
            ("method(%s, 'add32', %d, 1)"):format(b, dice:roll(20)), ("method(%s, 'cas32', 1, 0, 5)"):format(b),
        }
    end },
    { 3, function(dice)
        return ("G[%d] = group(%s, %s, %s, %s)"):format(dice:roll(3), ring(dice), dice:pick { "1", "2", "8" },
            dice:pick { "64", "100", "4096", "70000" }, dice:pick { "0", "L.IOU_PBUF_RING_INC" })
    end },
    { 3, function(dice)
        local g = "G[" .. dice:roll(3) .. "]"
        return dice:pick {
            ("method(%s, 'manual', true)"):format(g), ("method(%s, 'manual', false)"):format(g), ("method(%s, 'close')"):format(g),
            ("method(%s, 'available')"):format(g), ("method(%s, 'give', B[%d])"):format(g, dice:roll(4)), ("G[%d] = nil"):format(dice:roll(3)),
        }
    end },
    { 2, function(dice) return ("B[%d] = nil"):format(dice:roll(4)) end },
    { 2, function(dice) return ("C[%d] = nil"):format(dice:roll(4)) end },
    { 4, function() return "collectgarbage()" end },
    { 2, function(dice) return ("collectgarbage('step', %d)"):format(dice:roll(50)) end },
    { 2, function(dice) return ("close(F[%d])"):format(dice:roll(16)) end },
    { 1, function(dice) return ("close(try('ring_fd', %s))"):format(ring(dice)) end },
    { 2, function() return "open()" end },
    { 8, function(dice) return ("feed(%d)"):format(dice:roll(90000)) end },
    { 3, function(dice)
        local parts = {}
        for i = 1, dice:roll(4) - 1 do
            parts[i] = dice:once(2) and values.absurd(dice) or values.of(dice, dice:pick { "Fd", "Int", "Path", "Address", "Duration", "Content", "Key" })
        end
        if dice:once(2) then table.insert(parts, 1, ring(dice)) end
        return ("try(%s)"):format(table.concat({ ("%q"):format(dice:pick(others)), (table.unpack or unpack)(parts) }, ", "))
    end },
    { 4, function(dice, depth)
        local parts = {}
        for i = 1, 1 + dice:roll(3) do parts[i] = action(dice, depth + 1) end
        return ("try('chain', %s, { %s }, %s)"):format(ring(dice), table.concat(parts, ", "), dice:pick {
            "nil", "{ skip = true }", "{ hard = true }", "{ hard = true, skip = true }", "{ timeout = 0.001 }", "{ skip = true, timeout = 0.001 }",
        })
    end },
    { 2, function(dice, depth)
        return ("try('link_timeout', %s, %s, 0.001, %s)"):format(ring(dice), action(dice, depth + 1), callback(dice, depth) or "nil")
    end },
    { 2, function(dice, depth)
        local last = callback(dice, depth) or "nil"
        return dice:pick {
            ("try('cancel', %s, K[%d], %s, %s)"):format(ring(dice), dice:roll(8), dice:pick { "0", "nil", "L.IORING_ASYNC_CANCEL_ALL" }, last),
            ("try('cancel_all', %s, %s)"):format(ring(dice), last), ("try('cancel_fd', %s, F[%d], nil, %s)"):format(ring(dice), dice:roll(16), last),
            ("try('sync_cancel', %s, { key = K[%d] }, 0.1)"):format(ring(dice), dice:roll(8)), ("try('sync_cancel', %s, { any = true }, 0.1)"):format(ring(dice)),
        }
    end },
    { 3, function(dice, depth)
        return dice:pick {
            ("try('on_message', %s, function() %s end)"):format(ring(dice), depth < 2 and block(dice, depth + 1, 2) or ""),
            ("try('msg_ring', %s, try('ring_fd', %s), 7, %d, 0)"):format(ring(dice), ring(dice), dice:roll(1000)),
            ("try('sqe_set_flags', %s, K[%d], %s)"):format(ring(dice), dice:roll(8), dice:pick { "16", "2" }),
            ("try('reserve', %s, %d)"):format(ring(dice), dice:roll(8)),
        }
    end },
    { 2, function(dice)
        return dice:pick {
            ("try('register_buffers', %s, %s)"):format(ring(dice), values.of(dice, "Buffers")), ("try('unregister_buffers', %s)"):format(ring(dice)),
            ("try('register_buffers_update', %s, 0, %s)"):format(ring(dice), values.of(dice, "Buffers")),
        }
    end },
    { 2, function(dice) return ("run(%s)"):format(ring(dice)) end },
    { 2, function(dice) return ("try('submit_and_wait', %s, %d, 0.005)"):format(ring(dice), dice:roll(3)) end },
    { 2, function(dice) return ("try('mknod', %s, L.S_IFIFO + 511)"):format(dice:pick { "'fifo'", "'a'" }) end },
    { 1, function() return "spawn()" end },
}

local nested = {
    { 3, function(dice, depth) return ("finalizer(function() %s end)"):format(block(dice, depth + 1, 3)) end },
    { 2, function(dice, depth) return ("later = once(function() %s end)"):format(block(dice, depth + 1, 2)) end },
    { 2, function(dice, depth) return ("routine(function() %s coroutine.yield() %s end)"):format(block(dice, depth + 1, 2), block(dice, depth + 1, 2)) end },
}

-- Where Lua calls back.
local inside = {
    { 3, function() return "fail()" end },
    { 2, function() return "coroutine.yield()" end },
    { 2, function() return "later()" end },
}

function statement(dice, depth)
    local sort = dice:roll(20)
    if sort == 1 and depth < 2 then return dice:weigh(nested)(dice, depth) .. ";" end
    if sort == 2 and depth > 0 then return dice:weigh(inside)(dice, depth) .. ";" end
    return dice:weigh(kinds)(dice, depth) .. ";"
end

-- What a program ends with.
local ends = {
    "", "for i = 1, 3 do try('queue_exit', R[i]) end", "R, K = {}, {} collectgarbage() collectgarbage()",
    "for i = 1, 3 do turn(R[i]) end", "error('the end')",
}

return function(seed)
    local dice = Dice.new(seed)
    local lines = {
        "-- seed " .. seed,
        "require 'stage'",
        ("R[1], R[2] = ring(%s, %s), ring(8, 0)"):format(dice:pick { "2", "8", "64", "64" }, dice:pick(FLAGS)),
        ("collector(%d)"):format(dice:roll(6)),
    }
    if dice:once(2) then lines[#lines + 1] = ("register(%s)"):format(ring(dice)) end
    if dice:once(2) then lines[#lines + 1] = "G[1] = group(R[1], 4, 4096, 0) method(G[1], 'manual', true)" end
    for _ = 1, 20 + dice:roll(80) do lines[#lines + 1] = statement(dice, 0) end
    lines[#lines + 1] = dice:pick(ends)
    return table.concat(lines, "\n") .. "\n"
end
