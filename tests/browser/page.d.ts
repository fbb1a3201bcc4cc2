// The page's own elements are found by id and told apart by the tests: their types are left open here.

interface EventTarget {
  [name: string]: any;
}
interface Event {
  [name: string]: any;
}
interface ParentNode {
  querySelector(selectors: string): any;
}
interface Document {
  getElementById(id: string): any;
}

declare module "*/vendor/uplot/uPlot.esm.js" {
  import uPlot from "uplot";
  export default uPlot;
}

// Not in the compiler's library yet.
declare const GPUBufferUsage: Record<string, number>;
declare const GPUTextureUsage: Record<string, number>;
