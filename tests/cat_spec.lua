local luring = require "luring"
local child = require "child"

-- Runs a shell script in which $cat is examples/cat.lua, and whose folder is its own.
local function cat(script)
    return child.shell(([[
        folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
        cat() { %s "$@"; }
        %s]]):format(child.example "cat.lua", script))
end

describe("the example cat.lua", function()
    it("copies files in their order", function()
        local result = cat [[
            for size in 3000001 0 65536 65537 1; do head -c $size /dev/urandom >$size; done
            cat 3000001 0 65536 65537 1 3000001 >copy || exit
            command cat 3000001 0 65536 65537 1 3000001 | cmp - copy && echo same]]
        assert.equal("same\n", result.output)
    end)

    it("copies through pipes", function()
        local result = cat [[
            head -c 3000001 /dev/urandom >in
            cat in | cat - | { sleep 0.1; cat; } | cmp - in && echo same]]
        assert.equal("same\n", result.output)
    end)

    it("copies the standard input without arguments", function()
        assert.equal("from the input\n", cat("echo from the input | cat").output)
    end)

    it("goes on where the standard input is, and leaves it at its end", function()
        local result = cat [[
            head -c 200000 /dev/urandom >in
            for skip in 0 3; do
                { dd bs=1 count=$skip status=none; cat -; echo end; cat -; } <in >out
                { command cat in; echo end; } | cmp - out && echo same
            done]]
        assert.equal("same\nsame\n", result.output)
    end)

    it("reads a FIFO to its end", function()
        local result = cat "mkfifo fifo; { echo first; sleep 0.1; echo second; } >fifo & cat fifo"
        assert.equal("first\nsecond\n", result.output)
        assert.equal(0, result.status)
        -- Its writer has gone when it is read, sooner or later.
        result = cat "mkfifo fifo; for n in 1 2 3 4 5 6 7 8 9; do echo $n >fifo & cat fifo; done"
        assert.equal("1\n2\n3\n4\n5\n6\n7\n8\n9\n", result.output)
    end)

    it("reads a FIFO in its order, however full it is", function()
        local result = cat [[
            head -c 3000001 /dev/urandom >in; mkfifo fifo
            command cat in >fifo & sleep 0.1; cat fifo | cmp - in && echo same]]
        assert.equal("same\n", result.output)
    end)

    it("copies no file into itself", function()
        local result = cat [[
            echo text >file; echo more >other
            (ulimit -f 100; cat other file - <other >>file) && echo done
            command cat file; cat - >/dev/null </dev/null && echo null]]
        assert.equal("cat.lua: file: the standard output goes there\ntext\nmore\nmore\nnull\n", result.output)
    end)

    it("says what it can't read, and goes on", function()
        local result = cat "echo text >file; cat /nowhere/file . file"
        assert.equal(("cat.lua: /nowhere/file: %s\ncat.lua: .: %s\ntext\n"):format(
            luring.strerror(luring.ENOENT), luring.strerror(luring.EISDIR)), result.output)
        assert.equal(1, result.status)
    end)

    it("fails when its output can't be written", function()
        for _, script in ipairs {
            "echo text >file; cat file >/dev/full",
            "head -c 3000000 /dev/zero >file; cat file >/dev/full",
            "echo text | cat - >/dev/full",
        } do
            local result = cat(script)
            assert.equal(("cat.lua: standard output: %s\n"):format(luring.strerror(luring.ENOSPC)), result.output)
            assert.equal(1, result.status)
        end
    end)

    it("fails when its output is cut off by a limit", function()
        -- In blocks of 512 bytes or of 1 KiB. The signal would end it, as it would any program.
        local result = cat [[
            trap '' XFSZ
            head -c 3000000 /dev/zero >file; ulimit -f 1000; cat file >copy]]
        assert.equal(("cat.lua: standard output: %s\n"):format(luring.strerror(luring.EFBIG)), result.output)
        assert.equal(1, result.status)
    end)

    it("ends when nobody reads what it writes", function()
        local result = cat "{ cat /dev/zero; echo $? >status; } | head -c 1 >/dev/null; command cat status"
        assert.equal(("cat.lua: standard output: %s\n1\n"):format(luring.strerror(luring.EPIPE)), result.output)
    end)
end)
