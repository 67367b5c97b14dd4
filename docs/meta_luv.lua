---@meta luring.luv

-- For editors: lua-language-server and its kin. docs/co.md says more.

---@class luring.luv
local luv = {}

---A loop that steps within luv's.
---@class luring.luv.attachment
local attachment = {}

---Makes a loop of luring.co step within luv's: its tasks run in `uv.run()`.
---@param loop luring.co.loop
---@param options? {on_error?: fun(err: any)}
---@return luring.luv.attachment
function luv.attach(loop, options) end

---Leaves luv's loop, and the tasks as they are.
function attachment:detach() end

return luv
