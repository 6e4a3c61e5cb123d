-- What wrk sends. Its first argument is the operation, its second a file: one access
-- token a line for "get", else one body of a POST.
counts = {}
local lines, operation = {}, ""

local function renew(status, headers, body)  -- a refresh: the session's next request
  local token = body:match('"refresh": ?"([^"]+)"')
  table.insert(lines, '{"refresh": "' .. token .. '"}')
end

local function count(status)
  counts[status] = (counts[status] or 0) + 1
end

function setup(thread)
  worker = thread
end

function init(arguments)
  operation = arguments[1]
  for line in io.lines(arguments[2]) do
    table.insert(lines, line)
  end
  wrk.headers["Content-Type"] = "application/json"
  if operation == "refresh" then
    response = renew
  elseif operation == "guess" then
    response = count
    delay = function() return 100 end  -- milliseconds
  end
end

function request()
  local line = table.remove(lines, 1)
  if operation ~= "refresh" then
    table.insert(lines, line)
  end
  if operation == "get" then
    return wrk.format("GET", nil, { Authorization = "Bearer " .. line })
  elseif operation == "guess" then
    wrk.headers["X-Forwarded-For"] = "192.0.2." .. math.random(4)
  end
  return wrk.format("POST", nil, nil, line)
end

function done()
  for status, number in pairs(worker:get("counts")) do
    print("Status " .. status .. ": " .. number)
  end
end
