/** A file that is embedded as it is: `import text from "./x.py" with { type: "text" }`. */
declare module "*.py" {
  const text: string;
  export default text;
}
