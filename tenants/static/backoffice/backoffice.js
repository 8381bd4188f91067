'use strict';
// The content security policy allows neither the style element of htmx nor code in attributes.
Object.assign(window.htmx.config, { includeIndicatorStyles: false, allowEval: false });
// A line that was chosen in the filter needs no press on "Apply".
window.addEventListener('load', () => {
    const $ = window.django && window.django.jQuery;
    if ($) {
        $('.backoffice-filter select[data-submit]').on('select2:select select2:clear', (event) => {
            event.target.form.submit();
        });
    }
});
