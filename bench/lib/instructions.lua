-- Instructions per action in user space, by callgrind: the difference of two run lengths
-- over the difference in actions, so that starting and ending are not in it.
--
-- Lua seeds its hashes from the time and from addresses: two runs differ by some hundred
-- instructions in a hundred million, which is less than one in ten for an action.

local shell = require "bench.lib.shell"

local instructions = {}

instructions.ACTIONS = { "read", "write", "recv", "send" }

local SIZE, DEPTH = 64, 32
local SHORT, LONG = 6400, 38400

-- Nothing here ever waits in the kernel: the file is cached, /dev/null takes everything,
-- the sockets are those of bench/c/sockets.c.
local function command(work, action, actions, program)
    local quoted = shell.quoted
    local sockets = action == "recv" or action == "send"
    local fd = action == "recv" and 4 or 3
    local log, out = quoted(work .. "/callgrind.log"), quoted(work .. "/callgrind.out." .. action)
    return table.concat({
        "env -i PATH=/usr/bin:/bin",
        program.env or "",
        sockets and quoted(work .. "/sockets") or "",
        "valgrind --tool=callgrind --log-file=" .. log .. " --callgrind-out-file=" .. out,
        (program.command:gsub("%$(%u+)", {
            ACTION = action, SIZE = SIZE, DEPTH = DEPTH, COUNT = actions, FD = fd, WAIT = DEPTH,
        })),
        sockets and "" or action == "read" and "3<" .. quoted(work .. "/file") or "3>/dev/null",
    }, " ")
end

local function count(work, action, actions, program)
    assert(shell.output(command(work, action, actions, program)))
    local log = assert(shell.read(work .. "/callgrind.log"))
    return assert(tonumber(log:match("Collected : (%d+)")), log)
end

local function per_action(work, action, program)
    local difference = count(work, action, LONG, program) - count(work, action, SHORT, program)
    local extra = LONG + LONG // 10 - SHORT - SHORT // 10
    return difference / extra
end

-- Per action, the Lua case over the luring.so in a folder.
function instructions.module(work, action, dir)
    return per_action(work, action, {
        env = "LUA_CPATH=" .. shell.quoted(dir .. "/?.so"),
        command = "lua5.4 bench/cases/luring_files.lua $ACTION $SIZE $DEPTH $COUNT $FD $WAIT",
    })
end

-- Per wait of a task of luring.co, with the loop and the task's own code.
function instructions.wait(work, dir)
    return per_action(work, "wait", {
        env = "LUA_CPATH=" .. shell.quoted(dir .. "/?.so"),
        command = "lua5.4 bench/cases/luring_co_wait.lua $DEPTH $COUNT",
    })
end

-- Per action, the same in C.
function instructions.raw(work, action)
    return per_action(work, action, {
        command = shell.quoted(work .. "/raw") .. " files $ACTION $SIZE $DEPTH $COUNT 0",
    })
end

return instructions
