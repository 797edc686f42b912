// Requests to the server that this page came from.

// A token is given once, in the fragment of the address, which is never sent anywhere.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}

function headers(more = {}) {
  const token = sessionStorage.getItem("token");
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function answered(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the studio does not answer; is it still running?");
  }
  if (answer.ok) return answer;
  const found = await answer.json().catch(() => null);
  throw new Error(found?.error?.message ?? `the studio answered ${answer.status}`);
}

export async function get(path) {
  return (await answered(path, {})).json();
}

export function post(path, data, more = {}) {
  const body = JSON.stringify(data, (name, value) => (value === "" ? undefined : value));
  return answered(path, {
    method: "POST", body, signal: more.signal,
    headers: { "Content-Type": "application/json", ...more.headers },
  });
}

export async function upload(path, file) {
  const query = new URLSearchParams({ name: file.name });
  const options = { method: "POST", body: file,
    headers: { "Content-Type": "application/octet-stream" } };
  return (await answered(`${path}?${query}`, options)).json();
}

// The JSON of every server-sent event of an answer.
export async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const parts = text.split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const data = part.replace(/^data: /, "");
        if (data === "[DONE]") return;
        const event = JSON.parse(data);
        if (event.error) throw new Error(event.error.message);
        yield event;
      }
    }
  } catch (error) {
    if (error instanceof TypeError) throw new Error("the studio has stopped answering");
    throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
}

export async function follow(path, signal) {
  return answered(path, { signal });
}
