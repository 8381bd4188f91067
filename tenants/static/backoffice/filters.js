'use strict';
// A line that was chosen in the filter needs no press on "Apply".
window.addEventListener('load', () => {
    const $ = window.django && window.django.jQuery;
    if ($) {
        $('.backoffice-filter select[data-submit]').on('select2:select select2:clear', (event) => {
            event.target.form.submit();
        });
    }
});
