type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Sets variables of this process, or removes those that are undefined; the returned function puts
 * everything back as it was.
 */
export function overrideEnvironment(variables: Variables): () => void {
  const before = Object.fromEntries(
    Object.keys(variables).map((name) => [name, process.env[name]]),
  );
  assign(variables);
  return () => {
    assign(before);
  };
}

function assign(variables: Variables): void {
  for (const [name, value] of Object.entries(variables)) {
    // Assigning undefined would store the word.
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
