// A button on each code block that copies it. From a block with prompts it copies the commands only, without the prompts.
document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll("div.highlight")) {
    const code = block.querySelector("pre");
    if (!code) continue;
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(commands(code));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.append(button);
  }
});

function commands(code) {
  if (!code.querySelector(".gp")) return code.textContent;
  const copy = code.cloneNode(true);
  copy.querySelectorAll(".gp, .go").forEach((element) => element.remove());
  return copy.textContent.replace(/\n{2,}/g, "\n").trim() + "\n";
}
