// Search in a site that was opened from a disk: there a browser starts no worker, a hidden frame can do its work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      const answers = (event) => {
        if (event.source === this.frame.contentWindow)
          this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      };
      addEventListener("message", answers);
      this.addEventListener("message", (event) => this.onmessage?.(event));
      this.ready = new Promise((done) => this.frame.addEventListener("load", done, { once: true }));
      const tag = (script) => `<script>${script}<\/script>`;
      this.frame.srcdoc =
        tag("postMessage = (data) => parent.postMessage(data, '*');") + `<script src="${new URL(url, location)}"><\/script>`;
      document.head.append(this.frame);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
