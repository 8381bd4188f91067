'use strict';
// Marks the words that are searched for in a transcript; text stays text.
let transcript;
const readTranscript = (text) => {
    const parts = [...text.querySelectorAll('p')];
    return (parts.length ? parts : [text]).map((part) => [part, part.textContent]);
};
// On the document, since somebody may type before the page has loaded.
document.addEventListener('input', (event) => {
    const box = event.target.closest('[data-search]');
    const text = box && document.getElementById(box.dataset.search);
    if (!text) {
        return;
    }
    transcript = transcript || readTranscript(text);
    const words = box.value.trim().toLowerCase();
    let found = 0;
    for (const [part, original] of transcript) {
        part.textContent = '';
        const lower = original.toLowerCase();
        let from = 0;
        // A letter whose lower case is longer would shift every position after it.
        let at = words && lower.length === original.length ? lower.indexOf(words) : -1;
        while (at >= 0) {
            const mark = document.createElement('mark');
            mark.textContent = original.slice(at, at + words.length);
            part.append(original.slice(from, at), mark);
            found += 1;
            from = at + words.length;
            at = lower.indexOf(words, from);
        }
        part.append(original.slice(from));
    }
    document.getElementById('transcript-found').textContent = words ? `${found} found` : '';
    const first = text.querySelector('mark');
    if (first) {
        text.scrollTop += first.getBoundingClientRect().top - text.getBoundingClientRect().top - 40;
    }
});
document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.closest('[data-search]')) {
        event.preventDefault();
    }
});
