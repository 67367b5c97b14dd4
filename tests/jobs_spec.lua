local luring = require "luring"
local child = require "child"

-- Runs a shell script in a folder of its own, where `jobs ARGUMENT...` runs the example.
local function shell(script)
    return child.shell(([[
        folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
        jobs() { %s "$@"; }
        # Or for it to be a zombie, which nobody may reap here.
        wait_for_end_of() { while grep -q '^State:.*[RSD] (' /proc/$1/status 2>/dev/null; do sleep 0.02; done; }
        begin() { %s "$@" & job=$!; }
        %s]]):format(child.example "jobs.lua", child.example "jobs.lua", script)).output
end

describe("the example jobs.lua", function()
    it("shows how each command has ended, and what it has written", function()
        assert.equal([[
== 2: exit 0: echo one; echo two
one
two
== 4: exit 3: echo "in  part"; exit 3
in  part
== 5: signal 9: kill -KILL $$
== 6: exit 0: true
1
errors:
to stderr
]], shell [[
            cat >list <<'END'
# comment
echo one; echo two

echo "in  part"; exit 3
kill -KILL $$
true
  # and another
END
            echo 'echo to stderr >&2' | jobs 2>errors >/dev/null
            jobs -n 1 list; echo $?; echo errors:; cat errors]])
    end)

    it("ends with 0 if all commands did", function()
        assert.equal("== 1: exit 0: true\n== 2: exit 0: :\n0\n0\n",
            shell "printf 'true\\n:' | jobs -n 1 -; echo $?; jobs </dev/null; echo $?")
    end)

    it("runs as many as it is told at once, and no more", function()
        -- Each of the first three ends when it has seen the two others.
        assert.equal("0\nno more\n", shell [[
            for n in 1 2 3; do echo "touch $n; until [ -e 1 ] && [ -e 2 ] && [ -e 3 ]; do sleep 0.01; done"; done >list
            for n in 4 5 6 7 8 9; do
                echo "echo >run.$n; ls run.* 2>/dev/null | wc -l >at.$n; sleep 0.02; rm run.$n"
            done >>list
            jobs -n 3 list >/dev/null; echo $?; [ $(sort -n at.* | tail -1) -le 3 ] && echo no more]])
    end)

    it("keeps the outputs of those that run at once apart", function()
        local said = shell [[
            for n in 1 2 3 4 5; do echo "for i in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.01; done"; done | jobs -n 5]]
        for n = 1, 5 do
            assert.truthy(said:find("; done\n" .. (n .. "\n"):rep(8), 1, true), said)
        end
        local _, lines = said:gsub("\n", "")
        assert.equal(45, lines)
    end)

    it("has room for all that is written", function()
        assert.equal("same\n", shell [[
            head -c 3000001 /dev/urandom >in; printf 'cat in\ncat in >&2\n' | jobs -n 1 >out 2>errors
            { echo "== 1: exit 0: cat in"; cat in; echo "== 2: exit 0: cat in >&2"; } | cmp - out && cmp in errors \
                && echo same]])
    end)

    it("gives its commands nothing to read", function()
        assert.equal("== 1: exit 0: cat\n== 2: exit 0: echo next\nnext\n", shell [[
            printf 'cat\necho next\n' >list; echo words | jobs -n 1 list]])
    end)

    it("ends what takes too long, with its children", function()
        assert.equal([[
== 1: timed out: echo begun; sleep 100 & echo $! >pid; wait; echo done
begun
== 2: exit 0: true
1
gone
]], shell [[
            printf '%s\n' 'echo begun; sleep 100 & echo $! >pid; wait; echo done' true >list
            jobs -t .3 -n 1 list; echo $?
            wait_for_end_of $(cat pid); echo gone]])
    end)

    it("ends its commands when it is told to end", function()
        assert.equal("130\ngone\n143\ngone\n", shell [[
            for signal in INT TERM; do
                rm -f pid; printf '%s\n' 'echo $$ >pid; exec sleep 100' 'sleep 100' >list
                begin -n 2 list
                until [ -s pid ]; do sleep 0.02; done
                kill -$signal $job; wait $job; echo $?
                wait_for_end_of $(cat pid); echo gone
            done]])
    end)

    it("says that a line is no command, after those before it", function()
        assert.equal("== 1: exit 0: echo one\none\njobs.lua: line 2 has a zero byte\n1\n",
            shell "printf 'echo one\necho t\\000wo\n' | jobs -n 1; echo $?")
    end)

    it("says in one line what is wrong", function()
        for words, why in pairs {
            ["-n"] = "-n takes a number, not  (see --help)",
            ["-n 1.5"] = "-n takes a number, not 1.5 (see --help)",
            ["-n 0"] = "-n takes a number, not 0 (see --help)",
            ["-t soon"] = "-t takes a number, not soon (see --help)",
            ["-x"] = "-x is no option (see --help)",
            ["a b"] = "only one FILE is taken (see --help)",
            ["/nowhere/file"] = "/nowhere/file: " .. luring.strerror(luring.ENOENT),
            ["."] = ".: " .. luring.strerror(luring.EISDIR),
            ["<<END >/dev/full\ntrue\nEND"] = "standard output: " .. luring.strerror(luring.ENOSPC),
        } do
            assert.equal("jobs.lua: " .. why .. "\n1\n", shell("jobs " .. words .. "\necho $?"))
        end
    end)
end)
