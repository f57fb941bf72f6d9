type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Sets variables of this process, or removes those that are undefined.
 * @returns a function that restores the former values.
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
    // Assigning undefined would store the text "undefined".
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
