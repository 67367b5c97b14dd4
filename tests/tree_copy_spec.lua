local luring = require "luring"
local child = require "child"

-- Runs a shell script in which `copy FROM TO` is the example, and `list FOLDER` shows what is in a
-- folder, with permissions and times; it runs in a folder of its own.
local function copy(script)
    return child.shell(([[
        folder=$(mktemp -d); trap 'chmod -R u+rwx "$folder"; rm -rf "$folder"' EXIT; cd "$folder"
        copy() { %s "$@"; }
        list() { (
            cd $1 && find . -printf '%%P %%y %%m %%n %%T@ %%l ' \( ! -type f -o -printf %%s \) -printf '\n' | sort
        ); }
        %s]]):format(child.example "tree_copy.lua", script))
end

describe("the example tree_copy.lua", function()
    it("copies all kinds of files", function()
        local result = copy [[
            mkdir -p from/a/b/c from/shut from/.hidden
            head -c 3000001 /dev/urandom >from/large
            : >from/a/empty
            i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo $i >from/a/b/$i; done
            ln from/large from/a/hard; ln from/a/hard from/.hidden/hard
            ln -s nowhere from/a/dangling; ln -s ../large from/a/link; mkfifo -m 640 from/fifo
            echo text >from/shut/file; chmod 4751 from/shut/file; chmod 500 from/shut; chmod 0 from/a/b/7
            touch -h -d 2001-02-03T04:05:06.7 from/a/link 2>/dev/null
            touch -d 2001-02-03T04:05:06.7 from/shut from/large from/a/b from/fifo; chmod 662 from/fifo
            copy from to; echo $?
            list from >one; list to >other; diff one other && echo same
            cmp from/large to/large; diff -r from/a/b to/a/b && echo equal
            readlink to/a/dangling to/a/link; test -p to/fifo && echo fifo
            stat -c %h to/large; test to/large -ef to/.hidden/hard && test to/large -ef to/a/hard && echo linked]]
        assert.equal("0\nsame\nequal\nnowhere\n../large\nfifo\n3\nlinked\n", result.output)
    end)

    it("copies one file", function()
        local result = copy "echo text >from; copy from to; echo $?; cat to"
        assert.equal("0\ntext\n", result.output)
    end)

    it("keeps holes", function()
        local result = copy [[
            truncate -s 20M from; printf middle | dd of=from bs=1 seek=10000000 conv=notrunc status=none
            truncate -s 1M empty
            copy from to && copy empty nothing && cmp from to && cmp empty nothing && echo same
            # Where the file system has holes.
            test $(du -k from | cut -f1) -gt 1000 || test $(du -k to | cut -f1) -lt 1000 && echo small]]
        assert.equal("same\nsmall\n", result.output)
    end)

    it("copies what has no size of its own", function()
        local result = copy "copy /proc/version to && cmp /proc/version to && echo same"
        assert.equal("same\n", result.output)
    end)

    it("does not copy a folder into itself", function()
        local result = copy "mkdir -p a/b; echo text >a/b/file; copy a a/b/c; echo $?; cat a/b/c/b/file; ls a/b/c/b"
        assert.equal("tree_copy.lua: a/b/c: a folder is not copied into itself\n1\ntext\nfile\n", result.output)
    end)

    it("gives nobody's program the rights of who copies it", function()
        local result = copy [[
            mkdir from; : >from/own; : >from/program; chmod 4711 from/own
            chown 65534:65534 from/program 2>/dev/null || { echo pending; exit; }
            chmod 7711 from/program; chmod 3755 from; chgrp 65534 from; chmod g+s from
            copy from to; echo $?; stat -c %a to to/own to/program]]
        if result.output == "pending\n" then return pending "this user may give no file away" end
        assert.equal("0\n1755\n4711\n1711\n", result.output)
    end)

    it("says what it can't copy, and copies the rest", function()
        local result = copy [[
            mkdir -p from/a; echo text >from/a/file
            copy from to && copy from to; echo $?; copy from /nowhere/to; echo $?; copy nowhere to2; echo $?
            copy /dev/null to2; echo $?; cat to/a/file]]
        local exists, missing = luring.strerror(luring.EEXIST), luring.strerror(luring.ENOENT)
        assert.equal(("tree_copy.lua: to: %s\n1\ntree_copy.lua: /nowhere/to: %s\n1\ntree_copy.lua: nowhere: %s\n1\n"
            .. "tree_copy.lua: /dev/null: neither a file, a folder, a link nor a FIFO\n1\ntext\n"):format(
            exists, missing, missing), result.output)
    end)

    it("says that there is no room", function()
        local result = copy [[
            trap '' XFSZ
            mkdir from; head -c 3000000 /dev/zero | tr '\0' x >from/large; echo text >from/small
            ulimit -f 1000; copy from to; echo $?; cat to/small; ls to]]
        local error = luring.strerror(luring.EFBIG)
        assert.equal(("tree_copy.lua: to/large: %s\n1\ntext\nsmall\n"):format(error), result.output)
    end)

    it("says in one line what it is missing", function()
        local result = copy "copy x"
        assert.equal("tree_copy.lua: what is copied, and where? (see --help)\n", result.output)
        assert.equal(1, result.status)
    end)
end)
