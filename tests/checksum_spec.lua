local luring = require "luring"
local child = require "child"

-- Runs a shell script in which `checksum FILE...` is the example, in a folder of its own.
local function checksum(script)
    return child.shell(([[
        folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
        checksum() { %s "$@"; }
        %s]]):format(child.example "checksum.lua", script))
end

describe("the example checksum.lua", function()
    it("says what sum says, of many files and in their order", function()
        local result = checksum [[
            for size in 0 1 511 512 513 65535 65536 65537 1500000; do head -c $size /dev/urandom >$size; done
            i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo "the file $i" >"file $i"; done
            checksum * 1500000 >ours || exit
            sum -s * 1500000 >theirs; grep -v ours theirs | diff ours - && echo same]]
        assert.equal("same\n", result.output)
    end)

    it("does without registered memory where there is a limit", function()
        -- Root knows no limit, unless it gives that right up.
        local result = checksum(([[
            head -c 200000 /dev/urandom >file; ulimit -l 256 # KiB, of which the ring takes some
            limited="setpriv --bounding-set=-ipc_lock"; $limited true 2>/dev/null || limited=
            $limited %s file >ours; sum -s file | diff ours - && echo same]]):format(child.example "checksum.lua"))
        assert.equal("same\n", result.output)
    end)

    it("says what it can't read, and goes on", function()
        local result = checksum [[
            echo text >file
            checksum /nowhere/1 file . /nowhere/2 file 2>errors; echo $?; sort errors]]
        local missing = luring.strerror(luring.ENOENT)
        assert.equal(("463 1 file\n463 1 file\n1\nchecksum.lua: .: %s\nchecksum.lua: /nowhere/1: %s\n"
            .. "checksum.lua: /nowhere/2: %s\n"):format(luring.strerror(luring.EISDIR), missing, missing),
            result.output)
    end)

    it("survives more missing files than it has room for", function()
        local result = checksum [[
            echo text >file
            checksum $(seq 1 200) file 2>errors; echo $?; wc -l <errors]]
        assert.equal("463 1 file\n1\n200\n", result.output)
    end)

    it("says that what it prints has no room", function()
        local result = checksum "echo text >file; checksum file >/dev/full; echo $?"
        assert.equal(("checksum.lua: standard output: %s\n1\n"):format(luring.strerror(luring.ENOSPC)), result.output)
    end)

    it("says in one line that it got no file", function()
        local result = checksum "checksum"
        assert.equal("checksum.lua: which files? (see --help)\n", result.output)
        assert.equal(1, result.status)
    end)
end)
